// The life of a world: boot, steps, armed steps, and the checks that are not about one answer.
#include "props/slab/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/core/probe.hpp"
#include "props/slab/invariants.hpp"
#include "props/slab/rules.hpp"
#include "props/slab/runner.hpp"
#include "ref/core/require.hpp"

template class props::Stepping<props::slab::World, ref::slab::Machine, props::slab::Operation,
                               props::slab::Reach>;

namespace props::slab {

void settle(ref::slab::Machine& m) {
  QuietEnv env;
  free_hands(m);
  ref::slab::rcu_grace_period(env, m);
  // What is off slab is given back to another cache, and what that frees perhaps to a third.
  for (int round = 0; round < 4; ++round)
    for (std::uint32_t i = 0; i < ref::slab::caches_max; ++i) {
      const auto state = m.arena.at(m.slab.cache, i).state;
      if (state == ref::slab::CacheState::live)
        (void)ref::slab::kmem_cache_shrink(env, m, CacheId{i});
    }
  ref::slab::rcu_grace_period(env, m);
  ref::buddy::drain_all_pages(env, m);
}

Newborn::Newborn(const Config& config) : machine(config) {
  ref::slab::Machine copy = machine;
  settle(copy);
  settled = ref::buddy::buddyinfo(copy);
}

void Newborn::rebase() { machine.arena.rebase(); }

Judging Judging::scaled(std::uint64_t pages, std::uint64_t turn) const {
  constexpr std::uint64_t pages_each_step = 256, pages_each_run = 4096;
  Judging scaled = *this;
  const auto times = static_cast<std::uint32_t>(1 + pages / pages_each_step);
  scaled.invariants_every *= times;
  scaled.exhaust_every *= times;
  scaled.walk_at_end = turn % (1 + pages / pages_each_run) == 0;
  return scaled;
}

World::World(const Newborn& newborn, const Judging& judging)
    : Stepping(newborn.machine), scratch_(newborn.machine) {
  reset(newborn, judging);
}

void World::reset(const Newborn& newborn, const Judging& judging) {
  restart(newborn.machine, judging.reach);
  settled_ = &newborn.settled;
  judging_ = judging;
  ledger_.clear();
  objects_ = {};
  caches_ = {};
  pages_ = {};
  pending_ = {};
  written_after_free_.clear();
  overwrote_ = retuned_ = false;
  stamps_ = 0;
  if (judging_.reach) reach_.count_machine(machine_.config, up());
}

const Rule* World::rule_of(std::string_view id) const { return find_rule(id); }

Answer World::run_operation(const Operation& op) { return Runner(*this).run(op); }

// --- registers --------------------------------------------------------------------------------

namespace {

// Whether an operation will fill a register.
bool fills(const Operation& any, ObjectRegister r) {
  if (const auto* op = std::get_if<CacheAlloc>(&any)) return op->out == r;
  if (const auto* op = std::get_if<CacheAllocNode>(&any)) return op->out == r;
  const auto* bulk = std::get_if<CacheAllocBulk>(&any);
  return bulk != nullptr && r.value >= bulk->first.value &&
         r.value - bulk->first.value < static_cast<int>(bulk->count.value);
}
bool fills(const Operation& any, CacheRegister r) {
  const auto* op = std::get_if<CacheCreate>(&any);
  return op != nullptr && op->out == r;
}
bool fills(const Operation& any, PageRegister r) {
  const auto* op = std::get_if<AllocPages>(&any);
  return op != nullptr && op->out == r;
}

template <class Pending, class R>
bool awaited(const Pending& pending, const Operation* interrupted, R r) {
  if (interrupted != nullptr && fills(*interrupted, r)) return true;
  return std::ranges::any_of(pending, [&](const auto& op) { return op && fills(*op, r); });
}

}  // namespace

bool World::vacant(ObjectRegister r) const {
  return !objects_[r.value].live && !awaited(pending_, inside_ ? running_ : nullptr, r);
}
bool World::vacant(CacheRegister r) const {
  const auto state = caches_[r.value].state;
  const bool free = state == HeldCache::State::empty || state == HeldCache::State::stale;
  return free && !awaited(pending_, inside_ ? running_ : nullptr, r);
}
bool World::vacant(PageRegister r) const {
  return !pages_[r.value].live && !awaited(pending_, inside_ ? running_ : nullptr, r);
}

// --- the checks -------------------------------------------------------------------------------

void World::after_step() {
  const std::size_t n = step_ + 1;
  if (judging_.contents_every > 0 && n % judging_.contents_every == 0) check_all_contents();
  if (judging_.invariants_every > 0 && n % judging_.invariants_every == 0) check_invariants();
  if (judging_.exhaust_every > 0 && n % judging_.exhaust_every == 0) check_pages_back();
}

void World::finish() {
  if (broken()) return;
  skip_armed();
  check_all_contents();
  if (judging_.walk_at_end) check_pages_back();
  if (judging_.walk_at_end) check_invariants();
}

void World::check_invariants() {
  if (broken()) return;
  if (const auto finding = first_broken(machine_)) break_rule(*finding);
}

void World::check_all_contents() {
  for (const HeldObject& o : objects_)
    if (o.live && !check_contents(o)) return;
  for (const HeldPages& p : pages_)
    if (p.live && !check_contents(p)) return;
}

bool World::check_contents(const HeldObject& o) {
  if (broken()) return false;
  if (auto outside = Objects::still_in_pages(machine_, o.address, std::max<Bytes>(o.usable, 1))) {
    break_rule(*outside);
    return false;
  }
  if (o.stamp == 0) return true;
  const Broken w = contents_broken(machine_, o.ram, o.usable, o.stamp, judging_.stamps);
  if (!w) return true;
  break_rule("OBJECT-CONTENT",
             fmt::format("{:#x} at {} of the object at {:#x}", w->expected, w->where, o.address),
             fmt::format("{:#x}", w->actual));
  return false;
}

bool World::check_contents(const HeldPages& p) {
  if (broken()) return false;
  const Bytes bytes = std::uint64_t{machine_.config.page_bytes} << p.order;
  const Broken w = contents_broken(machine_, ref::buddy::ram_offset(machine_, p.pfn), bytes,
                                   p.stamp, judging_.stamps);
  if (!w) return true;
  break_rule(
      "OBJECT-CONTENT",
      fmt::format("{:#x} at {} of a caller's pages from pfn {}", w->expected, w->where, p.pfn),
      fmt::format("{:#x}", w->actual));
  return false;
}

bool World::disturbed() const {
  return retuned_ || overwrote_ ||
         std::ranges::find(caches_, HeldCache::State::lingers, &HeldCache::state) != caches_.end();
}

// On a copy everybody gives back what he has, and destroys his caches. Then all pages must be back,
// in blocks as large as after boot.
void World::check_pages_back() {
  if (broken() || !up() || disturbed()) return;
  ++reach_[ReachEvent::settled];
  scratch_ = machine_;
  QuietEnv env;
  free_hands(scratch_);
  for (const HeldObject& o : objects_) {
    if (!o.live) continue;
    if (o.ctor != 0) construct(scratch_, o.ram, o.usable, o.ctor);
    ref::slab::kmem_cache_free(env, scratch_, o.cache, ref::slab::Address{o.address});
  }
  for (const HeldPages& p : pages_)
    if (p.live) ref::buddy::free_pages_(env, scratch_, p.pfn, p.order);
  for (const HeldCache& c : caches_)
    if (c.state == HeldCache::State::live) (void)ref::slab::kmem_cache_destroy(env, scratch_, c.id);
  settle(scratch_);
  const std::string now = ref::buddy::buddyinfo(scratch_);
  if (now != *settled_)
    break_rule("OBJECT-PAGES-BACK", "free blocks as after boot:\n" + *settled_, "\n" + now);
}

// --- the picture -------------------------------------------------------------------------------

std::string World::picture() const {
  std::string text;
  const ref::slab::State& s = machine_.slab;
  for (std::uint32_t i = 0; i < ref::slab::caches_max; ++i) {
    const ref::slab::Cache& c = machine_.arena.at(s.cache, i);
    const auto users = std::ranges::count_if(caches_, [&](const HeldCache& held) {
      return held.state != HeldCache::State::empty && held.id == CacheId{i};
    });
    if (c.state == ref::slab::CacheState::unused || users == 0) continue;
    text += fmt::format("cache {} \"{}\"  size {} stride {} num {} order {}\n", i,
                        std::string_view(c.name.data()), c.object_size, c.size, c.num, c.gfporder);
    for (std::uint32_t n = 0; n < machine_.config.nodes; ++n) {
      const auto& node = machine_.arena.at(s.node, i * machine_.config.nodes + n);
      text += fmt::format("  node {}   slabs: {} full, {} partial, {} free; {} free objects\n", n,
                          node.full.count, node.partial.count, node.free.count, node.free_objects);
    }
    for (std::uint32_t cpu = 0; cpu < machine_.config.cpus; ++cpu) {
      const auto& array = machine_.arena.at(s.cpu_array, i * machine_.config.cpus + cpu);
      text += fmt::format("  CPU {}    {} of {} in its array\n", cpu, array.avail, array.limit);
    }
  }
  for (std::size_t i = 0; i < objects_.size(); ++i)
    if (objects_[i].live)
      text += fmt::format("  o{}  {:#x}  {} bytes, cache {}\n", i, objects_[i].address,
                          objects_[i].usable, static_cast<std::uint32_t>(objects_[i].cache));
  return text;
}

}  // namespace props::slab
