// What one call does to a naive slab cache.
#include "props/slab/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props::slab {

namespace {

constexpr std::size_t refill_limit = 16;          // S-23: of an array that nobody touched lately
constexpr std::uint32_t reap_every = 4;           // S-42: seconds, of a node
constexpr std::size_t shared_batch = 0xbaadf00d;  // nobody reads it

}  // namespace

Model::SlabId Model::slab_of(Object object) const {
  const auto above = slabs_.upper_bound(object);
  return above == slabs_.begin() ? 0 : std::prev(above)->first;
}

std::uint32_t Model::node_of(Object object) const {
  const auto found = slab_node_.find(slab_of(object));
  return found == slab_node_.end() ? 0 : found->second;
}

// --- going out
// ------------------------------------------------------------------------------------

// S-23: a slab with nothing free goes to the head of full, any other to the head of partial.
void Model::file(SlabId slab, Lists& n) {
  std::erase(n.partial, slab);
  std::erase(n.free, slab);
  if (slabs_[slab].free.empty()) n.full.push_front(slab);
  else n.partial.push_front(slab);
}

void Model::take_from(SlabId slab, Stack& to, Lists& n, std::size_t& batch) {
  SlabOf& from = slabs_[slab];
  while (batch > 0 && !from.free.empty()) {
    to.objects.push_back(from.first + std::uint64_t{from.free.front()} * size_);
    from.free.pop_front();
    --n.free_objects, --batch;
  }
  file(slab, n);
}

// S-9: the colour is counted on before the slab is made (6.1), or behind it.
std::optional<Model::SlabId> Model::grow(Stage stage, Lists& n, const Machine& after) {
  const auto node = static_cast<std::uint32_t>(&n - nodes_.data());
  const Model then = of(after, ref::slab::CacheId{cache_});
  const auto is_new = [&](SlabId slab) {
    return slab != 0 && !slabs_.contains(slab) && then.slab_node_.at(slab) == node;
  };
  std::vector<SlabId> made{then.slab_of(answered_)};
  for (const auto& [slab, of_it] : then.slabs_) made.push_back(slab);
  for (const SlabId slab : made) {
    if (!is_new(slab) || stage != stage_) continue;
    const std::uint32_t next = n.colour_next + 1 >= colour_ ? 0 : n.colour_next + 1;
    const std::uint32_t colour = old_ ? n.colour_next : next;
    n.colour_next = next;
    SlabOf fresh{.first = slab + in_front_ + std::uint64_t{colour} * colour_off_, .free = {}};
    for (std::uint32_t i = 0; i < num_; ++i) fresh.free.push_back(i);
    slabs_[slab] = fresh;
    slab_node_[slab] = node;
    n.free.push_back(slab);
    n.free_objects += num_;
    return slab;
  }
  // Pages may have been there, and no memory for their indices: the colour is counted on.
  if (flags_ & ref::slab::CFLGS_OFF_SLAB) n.colour_next = then.nodes_[node].colour_next;
  return std::nullopt;
}

// Takes from partial slabs, then from free ones; false when there are none.
bool Model::take_from_lists(Stack& stack, Lists& n, std::size_t& batch) {
  while (batch > 0) {
    if (n.partial.empty()) n.free_touched = true;
    if (n.partial.empty() && n.free.empty()) return false;
    take_from(n.partial.empty() ? n.free.front() : n.partial.front(), stack, n, batch);
  }
  return true;
}

void Model::refill(Stack& stack, Lists& n, const Machine& after) {
  const auto wanted = [&] {
    return stack.touched ? stack.batch : std::min(stack.batch, refill_limit);
  };
  std::size_t batch = wanted();
  if (!n.shared.objects.empty()) {
    const std::size_t most = std::min({n.shared.objects.size(), batch, stack.limit});
    const auto from = n.shared.objects.end() - static_cast<std::ptrdiff_t>(most);
    stack.objects.insert(stack.objects.end(), from, n.shared.objects.end());
    n.shared.objects.erase(from, n.shared.objects.end());
    n.shared.touched = true;
    return;
  }
  if (old_ || n.free_objects > 0) take_from_lists(stack, n, batch);
  if (!stack.objects.empty()) return;
  const auto slab = grow(Stage::array, n, after);
  if (!slab) return;
  batch = wanted();
  if (old_) take_from_lists(stack, n, batch);
  else take_from(*slab, stack, n, batch);
}

Model::Object Model::take_one_from(SlabId slab, Lists& n) {
  Stack one;
  std::size_t batch = 1;
  take_from(slab, one, n, batch);
  return one.objects.back();
}

std::optional<Model::Object> Model::take_one(Lists& n) {
  if (n.partial.empty()) n.free_touched = true;
  if (n.partial.empty() && n.free.empty()) return std::nullopt;
  return take_one_from(n.partial.empty() ? n.free.front() : n.partial.front(), n);
}

// This CPU's array serves its own node; what it cannot serve comes from slabs, past the arrays.
std::optional<Model::Object> Model::alloc(const Machine& after, const Ask& ask) {
  const std::uint32_t here = cpu_node_[cpu_], node = ask.node.value_or(here);
  Stack& stack = cpus_[cpu_];
  if (node == here && stack.objects.empty()) refill(stack, nodes_[here], after);
  if (node == here && !stack.objects.empty()) {
    stack.touched = true;
    const Object object = stack.objects.back();
    stack.objects.pop_back();
    return object;
  }
  return nodes_.size() == 1 ? std::nullopt : alloc_from(node, after, ask);
}

std::optional<Model::Object> Model::alloc_from(std::uint32_t node, const Machine& after,
                                               const Ask& ask) {
  Lists& n = nodes_[node];
  if (const auto object = take_one(n)) return object;
  if (const auto slab = grow(Stage::node, n, after)) return take_one_from(*slab, n);
  return alloc_anywhere(after, ask);
}

// What any node has, from this one on in turn; else a new slab, wherever there are pages.
std::optional<Model::Object> Model::alloc_anywhere(const Machine& after, const Ask& ask) {
  if (ask.gfp & ref::core::GFP_BIT_THISNODE) return std::nullopt;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Lists& n = nodes_[(cpu_node_[cpu_] + i) % nodes_.size()];
    if (n.free_objects > 0) return take_one(n);
  }
  for (Lists& n : nodes_)
    if (grow(Stage::anywhere, n, after)) return take_one(n);
  return std::nullopt;
}

// --- coming back
// ----------------------------------------------------------------------------------

void Model::drop(SlabId slab, Lists& n) {
  std::erase(n.free, slab);
  n.free_objects -= num_;
  slabs_.erase(slab);
  slab_node_.erase(slab);
  dropped_.push_back(slab);
}

// S-25, S-26: a slab becomes free at the head, any other goes to the tail of partial; beyond
// free_limit slabs go, from the tail and after all (6.1), or the very one that became free
// (2.6.11).
void Model::free_block(const std::vector<Object>& objects, Lists& n) {
  n.free_objects += objects.size();
  for (const Object object : objects) {
    const SlabId slab = slab_of(object);
    SlabOf& of = slabs_[slab];
    of.free.push_front(static_cast<std::uint32_t>((object - of.first) / size_));
    std::erase(n.full, slab);
    std::erase(n.partial, slab);
    if (of.free.size() < num_) {
      n.partial.push_back(slab);
      continue;
    }
    n.free.push_front(slab);
    if (old_ && n.free_objects > n.free_limit) drop(slab, n);
  }
  while (!old_ && n.free_objects > n.free_limit && !n.free.empty()) drop(n.free.back(), n);
}

void Model::free_oldest(Stack& stack, Lists& n, std::size_t count) {
  const auto end = stack.objects.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<Object> oldest(stack.objects.begin(), end);
  stack.objects.erase(stack.objects.begin(), end);
  free_block(oldest, n);
}

// S-24
void Model::flush(Stack& stack, Lists& n) {
  std::size_t batch = std::min(stack.batch, stack.objects.size());
  const std::size_t room = n.shared.limit - std::min(n.shared.limit, n.shared.objects.size());
  if (room == 0) return free_oldest(stack, n, batch);
  batch = std::min(batch, room);
  const auto end = stack.objects.begin() + static_cast<std::ptrdiff_t>(batch);
  n.shared.objects.insert(n.shared.objects.end(), stack.objects.begin(), end);
  stack.objects.erase(stack.objects.begin(), end);
}

// S-28: what fits goes to the shared array of its own node, the newest first; the rest to slabs.
void Model::drain_alien(Stack& alien, Lists& home) {
  if (alien.objects.empty()) return;
  const std::size_t room =
      home.shared.limit - std::min(home.shared.limit, home.shared.objects.size());
  const std::size_t moved = std::min(room, alien.objects.size());
  const auto from = alien.objects.end() - static_cast<std::ptrdiff_t>(moved);
  home.shared.objects.insert(home.shared.objects.end(), from, alien.objects.end());
  alien.objects.erase(from, alien.objects.end());
  free_oldest(alien, home, alien.objects.size());
}

void Model::free(Object object) {
  Stack& stack = cpus_[cpu_];
  const std::uint32_t here = cpu_node_[cpu_], home = node_of(object);
  if (home != here) {
    if (nodes_[here].alien.empty()) return free_block({object}, nodes_[home]);
    Stack& alien = nodes_[here].alien[home];
    if (alien.objects.size() >= alien.limit) drain_alien(alien, nodes_[home]);
    alien.objects.push_back(object);
    return;
  }
  if (stack.objects.size() >= stack.limit) flush(stack, nodes_[here]);
  stack.objects.push_back(object);
}

// S-40: CPUs, then alien arrays, then shared arrays; then no free slab stays.
void Model::shrink() {
  for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu)
    free_oldest(cpus_[cpu], nodes_[cpu_node_[cpu]], cpus_[cpu].objects.size());
  for (Lists& n : nodes_)
    for (std::size_t of = 0; of < n.alien.size(); ++of) drain_alien(n.alien[of], nodes_[of]);
  for (Lists& n : nodes_) free_oldest(n.shared, n, n.shared.objects.size());
  for (Lists& n : nodes_)
    while (!n.free.empty()) drop(n.free.back(), n);
}

// S-42: an array that was used keeps all, once; another gives a fifth of its limit, or half of what
// it has.
void Model::reap_stack(Stack& stack, Lists& n) {
  if (stack.objects.empty() && !old_) return;
  if (stack.touched) {
    stack.touched = false;
    return;
  }
  std::size_t count = (stack.limit + 4) / 5;
  if (count > stack.objects.size()) count = (stack.objects.size() + 1) / 2;
  free_oldest(stack, n, count);
}

void Model::reap() {
  if (old_ && (flags_ & ref::slab::SLAB_NO_REAP) != 0) return;
  const std::uint32_t here = cpu_node_[cpu_];
  Lists& n = nodes_[here];
  if (!n.alien.empty() && reap_node_ < n.alien.size())
    drain_alien(n.alien[reap_node_], nodes_[reap_node_]);
  reap_stack(cpus_[cpu_], n);
  if (static_cast<std::int32_t>(n.next_reap - clock_) > 0) return;
  n.next_reap = clock_ + reap_every;
  if (n.shared.there) reap_stack(n.shared, n);
  if (n.free_touched) {
    n.free_touched = false;
    return;
  }
  std::size_t slabs = (n.free_limit + 5 * num_ - 1) / (5 * num_);
  for (; slabs > 0 && !n.free.empty(); --slabs) drop(old_ ? n.free.front() : n.free.back(), n);
}

// --- other arrays -------------------------------------------------------------------------------

// S-43: what the old arrays hold goes to the slabs, CPU by CPU, then each node's shared array. The
// limit of free objects (S-11) is new before all of that in 2.6.11, and in 6.1 node by node, so
// that even an empty shared array makes room there.
void Model::tune(const Tunables& t) {
  limit_ = t.limit, batch_ = t.batch, share_ = t.shared;
  const auto renew_limit = [&](std::uint32_t node) {
    const auto cpus = static_cast<std::uint64_t>(std::ranges::count(cpu_node_, node));
    nodes_[node].free_limit = (1 + cpus) * t.batch + num_;
  };
  const auto replace = [&](Stack& stack, Lists& n, std::uint64_t limit, std::uint64_t batch) {
    free_oldest(stack, n, stack.objects.size());
    stack = {.there = limit > 0, .touched = false, .limit = limit, .batch = batch, .objects = {}};
  };
  if (old_) renew_limit(0);
  for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu)
    replace(cpus_[cpu], nodes_[cpu_node_[cpu]], t.limit, t.batch);
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    Stack& shared = nodes_[node].shared;
    renew_limit(node);
    if (shared.there) replace(shared, nodes_[node], 0, 0);
    if (t.shared > 0)
      shared = {.there = true,
                .touched = false,
                .limit = t.shared * t.batch,
                .batch = shared_batch,
                .objects = {}};
  }
}

}  // namespace props::slab
