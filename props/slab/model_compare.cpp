// Reads a machine's cache into the naive model, and compares the two after a call.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "props/slab/invariants_parts.hpp"
#include "props/slab/model.hpp"

namespace props::slab {
namespace {

using ref::slab::CacheId;
using ref::slab::Destroyed;
using ref::slab::SlabinfoWrite;

std::string text_of(const std::deque<std::uint64_t>& list) {
  std::string text;
  for (const std::uint64_t item : list)
    text += fmt::format("{}{:#x}", text.empty() ? "" : " ", item);
  return "[" + text + "]";
}
std::string text_of(const std::deque<std::uint32_t>& list) {
  return text_of(std::deque<std::uint64_t>(list.begin(), list.end()));
}
std::string text_of(std::uint64_t number) { return fmt::format("{}", number); }

}  // namespace

Model Model::of(const Machine& m, CacheId id) {
  Model model;
  model.cache_ = static_cast<Index>(id);
  if (!exists(m, model.cache_)) return model;
  const ref::slab::Cache& c = cache_at(m, model.cache_);
  model.old_ = is_old(m);
  model.sure_ = m.globals().fail_page_alloc == 0;
  model.num_ = c.num, model.size_ = c.size, model.given_ = c.obj_offset, model.flags_ = c.flags;
  model.colour_ = c.colour, model.colour_off_ = c.colour_off;
  const bool off = (c.flags & ref::slab::CFLGS_OFF_SLAB) != 0;
  model.in_front_ = model.old_ && !off ? c.freelist_size : 0;
  model.references_ = c.refcount;
  model.limit_ = c.limit, model.batch_ = c.batchcount, model.share_ = c.shared;
  for (const auto& e : m.events) model.pages_ += e.pgalloc;
  model.cpu_ = m.globals().cpu, model.clock_ = globals_of(m).clock;
  model.reap_node_ = globals_of(m).reap_node[model.cpu_];
  model.nodes_.resize(m.config.nodes);
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    model.cpu_node_.push_back(ref::buddy::node_of_cpu(m, cpu));
  model.cpus_.resize(m.config.cpus);
  model.read_nodes(m);
  model.read_arrays(m);
  return model;
}

void Model::read_nodes(const Machine& m) {
  const ref::slab::Cache& c = cache_at(m, cache_);
  for (std::uint32_t node = 0; node < m.config.nodes; ++node) {
    const ref::slab::Node& from = node_at(m, cache_, node);
    Lists& n = nodes_[node];
    n.free_objects = from.free_objects;
    n.free_limit = old_ ? c.free_limit : from.free_limit;
    n.colour_next = old_ ? c.colour_next : from.colour_next;
    n.free_touched = from.free_touched != 0;
    n.next_reap = from.next_reap;
    const auto read = [&](const ref::slab::List& list, std::deque<SlabId>& into) {
      for (Index link = list.head; link != 0 && into.size() <= m.slab.slab.count;) {
        const auto v = sound_slab(m, link - 1);
        if (!v) return;
        into.push_back(v->address);
        slabs_[v->address] = {.first = v->slab->s_mem, .free = free_objects(m, *v).numbers};
        slab_node_[v->address] = node;
        link = v->slab->next;
      }
    };
    read(from.full, n.full), read(from.partial, n.partial), read(from.free, n.free);
  }
}

void Model::read_arrays(const Machine& m) {
  for_each_array_of(m, cache_, [&](const ArrayView& a) {
    if (a.array->present == 0) return;
    if (a.kind == ArrayKind::alien) nodes_[a.whose].alien.resize(m.config.nodes);
    Stack& to = a.kind == ArrayKind::cpu      ? cpus_[a.whose]
                : a.kind == ArrayKind::shared ? nodes_[a.whose].shared
                                              : nodes_[a.whose].alien[a.of];
    to.there = true;
    to.touched = a.array->touched != 0;
    to.limit = a.array->limit, to.batch = a.array->batchcount;
    for (std::uint32_t i = 0; i < std::min(a.array->avail, a.entries_max); ++i)
      to.objects.push_back(a.entry[i] - given_);
  });
}

std::optional<Finding> Model::difference(const Machine& after) const {
  const Model then = of(after, CacheId{cache_});
  std::optional<Finding> found;
  // Where it is is told only when something differs: texts of all that is the same would take most
  // of the time.
  const auto same = [&](auto where, std::string_view what, const auto& expected,
                        const auto& actual) {
    if (!found && expected != actual)
      found = Finding{
          "SLAB-ORDERED",
          fmt::format("{}, {}{}: {}", name_of(after, cache_), where(), what, text_of(expected)),
          text_of(actual)};
  };
  const auto same_limit = [&](auto where, std::string_view what, std::uint64_t expected,
                              std::uint64_t actual) {
    const bool is_first = !found;
    same(where, what, expected, actual);
    if (found && is_first) found->rule = "SLAB-LIMITS";
  };
  const auto same_stack = [&](auto where, const Stack& a, const Stack& b) {
    same(where, ", entries", a.objects, b.objects);
    same(where, ", touched", std::uint64_t{a.touched}, std::uint64_t{b.touched});
    same_limit(where, ", limit", a.limit, b.limit);
    same_limit(where, ", batchcount", a.batch, b.batch);
  };
  const auto nowhere = [] { return ""; };
  same_limit(nowhere, "limit", limit_, then.limit_);
  same_limit(nowhere, "batchcount", batch_, then.batch_);
  same_limit(nowhere, "shared", share_, then.share_);
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    const Lists &a = nodes_[node], &b = then.nodes_[node];
    const auto where = [&] { return fmt::format("node {}", node); };
    same(where, ", full", a.full, b.full);
    same(where, ", partial", a.partial, b.partial);
    same(where, ", free", a.free, b.free);
    same(where, ", free_objects", a.free_objects, b.free_objects);
    same_limit(where, ", free_limit", a.free_limit, b.free_limit);
    same(where, ", the next colour", std::uint64_t{a.colour_next}, std::uint64_t{b.colour_next});
    same(where, ", free_touched", std::uint64_t{a.free_touched}, std::uint64_t{b.free_touched});
    same(where, ", the next time", std::uint64_t{a.next_reap}, std::uint64_t{b.next_reap});
    same_stack([&] { return where() + ", its shared array"; }, a.shared, b.shared);
    for (std::size_t of = 0; of < std::min(a.alien.size(), b.alien.size()); ++of)
      same_stack([&] { return fmt::format("{}, alien array of node {}", where(), of); },
                 a.alien[of], b.alien[of]);
  }
  for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu)
    same_stack([&] { return fmt::format("the array of CPU {}", cpu); }, cpus_[cpu],
               then.cpus_[cpu]);
  for (const auto& entry : slabs_) {
    const SlabOf& of = entry.second;
    const auto other = then.slabs_.find(entry.first);
    if (other == then.slabs_.end()) continue;  // its list said so
    const auto where = [&] { return fmt::format("slab {:#x}", entry.first); };
    same(where, ", its first object", of.first, other->second.first);
    same(where, ", its free objects", of.free, other->second.free);
  }
  // S-27
  if ((flags_ & ref::slab::SLAB_TYPESAFE_BY_RCU) == 0) return found;
  for (const SlabId slab : dropped_) {
    const auto page = static_cast<Index>(*ram_of(after, slab) / after.config.page_bytes);
    if (!found && slab_at(after, page).rcu == 0)
      found = Finding{"SLAB-RCU",
                      fmt::format("{}, the slab at {:#x} waits for the grace period",
                                  name_of(after, cache_), slab),
                      "it is gone"};
  }
  return found;
}

std::optional<Finding> Model::judged(const Machine& after, const Ask& ask,
                                     std::optional<Address> answer) {
  const auto expected = alloc(after, ask);
  const std::uint64_t wanted = expected ? *expected + given_ : 0;
  const std::uint64_t given = answer ? static_cast<std::uint64_t>(*answer) : 0;
  if (wanted == given) return difference(after);
  return Finding{"SLAB-EXACT", fmt::format("{}, an object: {:#x}", name_of(after, cache_), wanted),
                 fmt::format("{:#x}", given)};
}

std::optional<Finding> Model::allocated(const Machine& after, const Ask& ask,
                                        std::optional<Address> answer) {
  if (!sure_) return std::nullopt;
  answered_ = answer ? static_cast<std::uint64_t>(*answer) : 0;
  std::optional<Finding> first;
  for (const Stage stage : {Stage::array, Stage::node, Stage::anywhere}) {
    Model guess = *this;
    guess.stage_ = stage;
    auto finding = guess.judged(after, ask, answer);
    if (!finding || nodes_.size() == 1) return finding;
    if (!first) first = std::move(finding);
  }
  return first;
}

// A slab may have been made for the first of many objects, and be gone again when the last was
// refused; and on several nodes each may be made at another stage. Both shows in the pages that
// were given out meanwhile.
std::optional<Finding> Model::allocated_bulk(const Machine& after, const Ask& ask,
                                             std::span<const Address> answers, bool granted) {
  const std::uint64_t given_out = of(after, CacheId{cache_}).pages_ - pages_;
  if (!sure_ || (given_out > 0 && (!granted || nodes_.size() > 1))) return std::nullopt;
  std::vector<Object> got;
  for (const Address address : answers) {
    answered_ = granted ? static_cast<std::uint64_t>(address) : 0;
    const auto object = alloc(after, ask);
    if (!object) break;
    got.push_back(*object);
    if (granted && *object + given_ != answered_)
      return Finding{"SLAB-EXACT",
                     fmt::format("{}, object {} of {}: {:#x}", name_of(after, cache_),
                                 got.size() - 1, answers.size(), *object + given_),
                     fmt::format("{:#x}", answered_)};
  }
  if ((got.size() == answers.size()) != granted)
    return Finding{
        "SLAB-EXACT",
        fmt::format("{}, {} of {} objects", name_of(after, cache_), got.size(), answers.size()),
        granted ? "all of them" : "not all of them"};
  if (!granted)
    for (const Object object : got) free(object);
  return difference(after);
}

std::optional<Finding> Model::freed(const Machine& after, std::span<const Address> addresses) {
  for (const Address address : addresses) free(static_cast<std::uint64_t>(address) - given_);
  return difference(after);
}

std::optional<Finding> Model::shrunk(const Machine& after, bool slabs_remain) {
  shrink();
  if (slabs_remain == slabs_.empty())
    return Finding{"SLAB-EXACT",
                   fmt::format("{}, slabs remain: {}", name_of(after, cache_), !slabs_.empty()),
                   fmt::format("{}", slabs_remain)};
  return difference(after);
}

// S-41: the last reference takes the cache with it, unless objects remain: then it stays in the
// chain, emptied of all that is free; 2.6.11 puts it in front.
std::optional<Finding> Model::destroyed(const Machine& after, Destroyed answer) {
  constexpr std::array<std::string_view, 3> names{"gone", "still used", "objects remain"};
  if (references_ <= 1) shrink();
  const Destroyed expected = references_ > 1  ? Destroyed::still_used
                             : slabs_.empty() ? Destroyed::gone
                                              : Destroyed::busy;
  if (answer != expected)
    return Finding{"SLAB-EXACT",
                   fmt::format("cache {}, {}", cache_, names[static_cast<std::size_t>(expected)]),
                   std::string(names[static_cast<std::size_t>(answer)])};
  const bool stays = answer != Destroyed::gone || (flags_ & ref::slab::SLAB_TYPESAFE_BY_RCU) != 0;
  if (exists(after, cache_) != stays)
    return Finding{"SLAB-EXACT", fmt::format("cache {}, a record: {}", cache_, stays),
                   fmt::format("{}", !stays)};
  if (!stays) return std::nullopt;
  if (references_ > 1 && cache_at(after, cache_).refcount != references_ - 1)
    return Finding{"SLAB-EXACT",
                   fmt::format("{}, {} references", name_of(after, cache_), references_ - 1),
                   fmt::format("{}", cache_at(after, cache_).refcount)};
  if (old_ && answer == Destroyed::busy && globals_of(after).first != cache_ + 1)
    return Finding{"SLAB-ORDERED", fmt::format("{}, in front of the chain", name_of(after, cache_)),
                   name_of(after, globals_of(after).first - 1)};
  return difference(after);
}

std::optional<Finding> Model::reaped(const Machine& after) {
  reap();
  return difference(after);
}

// What is written is read up to the first space: the rest of such a name is a bad number.
std::optional<CacheId> Model::named(const Machine& m, std::string_view name) {
  if (name.find(' ') != name.npos) return std::nullopt;
  Index link = globals_of(m).first;
  for (Index left = ref::slab::caches_max; link != 0 && left > 0; --left) {
    if (std::string_view(cache_at(m, link - 1).name.data()) == name) return CacheId{link - 1};
    link = cache_at(m, link - 1).next;
  }
  return std::nullopt;
}

// S-43: what is out of range changes nothing, and says so in 2.6.11 only.
std::optional<Finding> Model::tuned(const Machine& after, const Tunables& t, SlabinfoWrite answer) {
  if (!sure_) return std::nullopt;
  constexpr std::array<std::string_view, 4> names{"done", "ignored", "invalid", "no memory"};
  const bool in_range = t.limit >= 1 && t.batch >= 1 && t.batch <= t.limit;
  const SlabinfoWrite refusal = old_ ? SlabinfoWrite::invalid : SlabinfoWrite::ignored;
  const bool right = in_range ? answer == SlabinfoWrite::done || answer == SlabinfoWrite::no_memory
                              : answer == refusal;
  if (!right)
    return Finding{
        "SLAB-EXACT",
        fmt::format("{}, {}", name_of(after, cache_),
                    names[static_cast<std::size_t>(in_range ? SlabinfoWrite::done : refusal)]),
        std::string(names[static_cast<std::size_t>(answer)])};
  if (answer != SlabinfoWrite::done) return difference(after);
  // 2.6.11 can do without a shared array, where there is no memory for one.
  const bool shares = !old_ || cache_at(after, cache_).shared > 0;
  tune({t.limit, t.batch, shares ? t.shared : 0});
  return difference(after);
}

// S-10, S-11.
std::optional<Finding> Model::created(const Machine& after, CacheId id) {
  Model expected = of(after, id);
  const std::uint64_t page = after.config.page_bytes, size = expected.size_;
  std::uint64_t limit = size > 131072 ? 1
                        : size > page ? 8
                        : size > 1024 ? 24
                        : size > 256  ? 54
                                      : 120;
  if (after.config.slab_debug) limit = std::min<std::uint64_t>(limit, 32);
  const bool shares = after.config.cpus > 1 && size <= page &&
                      (!expected.old_ || expected.share_ > 0);  // it can do without
  expected.tune({limit, (limit + 1) / 2, shares ? 8u : 0u});
  return expected.difference(after);
}

}  // namespace props::slab
