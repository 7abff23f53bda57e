// The life of a world: boot, steps, armed steps, and the checks that are not about one answer.
#include "props/kmap/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/core/probe.hpp"
#include "props/kmap/invariants.hpp"
#include "props/kmap/rules.hpp"
#include "props/kmap/runner.hpp"
#include "ref/core/require.hpp"

template class props::Stepping<props::kmap::World, ref::kmap::Machine, props::kmap::Operation,
                               props::kmap::Reach>;

namespace props::kmap {

namespace {

std::string settled_buddyinfo(ref::kmap::Machine m) {
  QuietEnv env;
  ref::buddy::drain_all_pages(env, m);
  return ref::buddy::buddyinfo(m);
}

}  // namespace

Newborn::Newborn(const Config& config) : machine(config), settled(settled_buddyinfo(machine)) {}

void Newborn::rebase() { machine.arena.rebase(); }

Judging Judging::scaled(std::uint64_t pages, std::uint64_t turn) const {
  constexpr std::uint64_t pages_each_step = 512, pages_each_run = 4096;
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
  const ref::core::Window& w = machine_.mmu.window;
  slots_ = up() ? Slots({w.pkmap_base, w.pkmap_end, machine_.config.page_bytes}) : Slots();
  maps_ = {};
  pages_ = {};
  stamp_.clear();
  for (auto& stack : stack_) stack.clear();
  pending_ = {};
  searched_ = false;
  for (std::uint64_t slot = 0; slot < machine_.kmap.count.count; ++slot)
    searched_ = searched_ || machine_.arena.at(machine_.kmap.count, slot) != 0;
  interrupted_ = 0;
  stamps_ = 0;
  serial_ = 0;
  if (judging_.reach) reach_.count_machine(machine_.config, up());
}

std::uint32_t World::waiting() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(pending_, [](const auto& p) { return p.has_value(); }));
}

bool World::waits_for_slot(std::uint32_t task) const {
  return pending_[task] && std::holds_alternative<Kmap>(*pending_[task]);
}

bool World::stacked() const {
  return machine_.profile().atomic_maps == ref::core::AtomicMaps::stack;
}

const Rule* World::rule_of(std::string_view id) const { return find_rule(id); }

Answer World::run_operation(const Operation& op) { return Runner(*this).run(op); }

// A temporary map is gone when the interrupt that made it returns: the newest first.
void World::interrupt_ends() {
  ref::core::select_cpu(machine_, interrupted_);
  for (;;) {
    HeldMap* newest = nullptr;
    for (HeldMap& h : maps_)
      if (h.live && h.inside && (newest == nullptr || h.serial > newest->serial)) newest = &h;
    if (newest == nullptr || broken()) return;
    const MapRegister r{static_cast<std::uint8_t>(newest - maps_.data())};
    ++reach_[ReachEvent::interrupt_unmapped];
    if (newest->kind == HeldMap::Kind::atomic) (void)run(KunmapAtomic{r});
    else (void)run(KunmapLocal{r});
    newest->inside = false;
  }
}

// --- registers --------------------------------------------------------------------------------

namespace {

// Whether an operation has a register in hand: to fill it, or to end what it holds.
bool names(const Operation& any, MapRegister r) {
  return std::visit(
      [&](const auto& op) {
        if constexpr (requires { MapRegister{op.out}; }) return op.out == r;
        else if constexpr (requires { op.map; }) return op.map == r;
        else return false;
      },
      any);
}
bool names(const Operation& any, PageRegister r) {
  const auto* op = std::get_if<AllocPages>(&any);
  return op != nullptr && op->out == r;
}

template <class Pending, class R>
bool in_hand(const Pending& pending, const Operation* interrupted, R r) {
  if (interrupted != nullptr && names(*interrupted, r)) return true;
  return std::ranges::any_of(pending, [&](const auto& op) { return op && names(*op, r); });
}

}  // namespace

bool World::vacant(MapRegister r) const {
  return !maps_[r.value].live && !in_hand(pending_, inside_ ? running_ : nullptr, r);
}
bool World::vacant(PageRegister r) const {
  return !pages_[r.value].live && !in_hand(pending_, inside_ ? running_ : nullptr, r);
}

std::optional<Pfn> World::frame(PageRegister r, IndexArg index) const {
  const HeldPages& p = pages_[r.value];
  if (!p.live || index.value >> p.order != 0) return std::nullopt;
  return p.pfn + static_cast<Pfn>(index.value);
}

bool World::usable(const HeldMap& h) const {
  if (!h.temporary()) return true;
  const std::uint32_t cpu = machine_.globals().cpu;
  if (h.cpu != cpu) return false;
  if (inside_ && cpu == interrupted_) return h.inside;
  return !h.inside && h.task == machine_.cpu().task;
}

bool World::pinned(const HeldPages& p) const {
  const auto inside = [&](Pfn pfn) { return pfn >= p.pfn && (pfn - p.pfn) >> p.order == 0; };
  if (std::ranges::any_of(maps_, [&](const HeldMap& h) { return h.live && inside(h.pfn); }))
    return true;
  const auto wants = [&](const Operation& any) {
    return std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.index; }) return &pages_[op.page.value] == &p;
          else return false;
        },
        any);
  };
  // In the hands of what was interrupted: a page to map, or one that it is about to unmap.
  if (inside_ && running_ != nullptr) {
    if (wants(*running_)) return true;
    for (std::uint8_t r = 0; r < maps_.size(); ++r)
      if (inside(maps_[r].pfn) && names(*running_, MapRegister{r})) return true;
  }
  return std::ranges::any_of(pending_, [&](const auto& op) { return op && wants(*op); });
}

std::optional<std::size_t> World::mapped_by(Pfn pfn) const {
  std::optional<std::size_t> newest;
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    const HeldMap& h = maps_[i];
    if (!h.live || h.kind != HeldMap::Kind::persistent || h.pfn != pfn || !h.high) continue;
    if (!newest || h.serial > maps_[*newest].serial) newest = i;
  }
  return newest;
}

}  // namespace props::kmap
