// The life of a world: boot, steps, armed steps, and the checks that are not about one answer.
#include "props/kmap/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/kmap/invariants.hpp"
#include "props/kmap/rules.hpp"
#include "props/kmap/runner.hpp"
#include "ref/core/require.hpp"

namespace props::kmap {

using ref::core::Point;

namespace {

constexpr std::size_t armed_max = 64;  // more can wait at no step that a person would write

struct QuietEnv final : ref::core::Env {};

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
    : machine_(newborn.machine), scratch_(newborn.machine) {
  reset(newborn, judging);
}

void World::reset(const Newborn& newborn, const Judging& judging) {
  machine_ = newborn.machine;
  settled_ = &newborn.settled;
  judging_ = judging;
  const ref::core::Window& w = machine_.mmu.window;
  slots_ = up() ? Slots({w.pkmap_base, w.pkmap_end, machine_.config.page_bytes}) : Slots();
  maps_ = {};
  pages_ = {};
  stamp_.clear();
  for (auto& stack : stack_) stack.clear();
  pending_ = {};
  armed_.clear();
  running_ = nullptr;
  inside_ = interleaved_ = searched_ = false;
  for (std::uint64_t slot = 0; slot < machine_.kmap.count.count; ++slot)
    searched_ = searched_ || machine_.arena.at(machine_.kmap.count, slot) != 0;
  interrupted_ = 0;
  step_ = 0;
  stamps_ = 0;
  serial_ = 0;
  violation_.reset();
  if (!judging_.reach) return;
  reach_ = {};
  reach_.count_machine(machine_.config, up());
}

ref::core::Hash World::digest() const {
  ref::core::Hash sum = machine_.arena.hash();
  for (const auto& e : machine_.events) {
    sum.low = sum.low * 0x9e3779b97f4a7c15 + e.pgalloc;
    sum.high = sum.high * 0xbf58476d1ce4e5b9 + e.pgfree;
  }
  return sum;
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

void World::break_rule(std::string_view rule, std::string expected, std::string actual) {
  if (violation_) return;
  const Rule* known = find_rule(rule);
  if (known == nullptr) known = props::find_rule(run_rules(), rule);
  REQUIRE(known != nullptr);
  violation_ = Violation{known, step_, std::move(expected), std::move(actual), picture()};
}

Answer World::run(const Operation& op) {
  const Answer answer = Runner(*this).run(op);
  if (!judging_.reach) return answer;
  const std::size_t i = op.index();
  switch (answer.kind) {
    case Answer::Kind::skipped: ++reach_.skipped[i]; return answer;
    case Answer::Kind::refused: ++reach_.refused_operations[i]; break;
    case Answer::Kind::fault: ++reach_.faulted_operations[i]; break;
    case Answer::Kind::suspended: ++reach_.suspended_operations[i]; break;
    default: break;
  }
  ++reach_.executed[i];
  return answer;
}

Answer World::apply(const Step& step) {
  if (broken()) return {Answer::Kind::skipped};
  if (step.at) {
    if (armed_.size() < armed_max) armed_.push_back(step);
    ++step_;
    return {};
  }
  interleaved_ = false;
  ref::core::clear_log(machine_);
  running_ = &step.op;
  const Answer answer = run(step.op);
  running_ = nullptr;
  if (!armed_.empty()) skip_armed();
  if (step.answer) expect_answer(*step.answer, answer);
  if (!broken()) after_step();
  if (!broken()) ++step_;
  return answer;
}

void World::expect_answer(Answer demanded, Answer given) {
  if (!broken() && given != demanded)
    break_rule("STEP-ANSWER", print_answer(demanded), print_answer(given));
}

// --- armed steps ------------------------------------------------------------------------------

// Those whose point was not passed.
void World::skip_armed() {
  for (const Step& missed : armed_) ++reach_.skipped[missed.op.index()];
  armed_.clear();
}

// Afterwards the CPU and its context are as they were.
void World::at(Point point) {
  ++reach_.reached[static_cast<std::size_t>(point)];
  if (inside_ || armed_.empty() || broken()) return;
  const auto is_due = [&](const Step& s) { return s.at == point; };
  if (std::ranges::none_of(armed_, is_due)) return;
  std::vector<Step> due;
  std::ranges::copy_if(armed_, std::back_inserter(due), is_due);
  std::erase_if(armed_, is_due);

  interrupted_ = machine_.globals().cpu;
  const ref::core::Cpu context = machine_.arena.at(machine_.core.cpu, interrupted_);
  const ref::core::Log log = machine_.globals().log;
  const std::uint32_t injected = machine_.globals().injected;
  ++machine_.arena.edit(machine_.core.cpu, interrupted_).hardirq_count;
  inside_ = interleaved_ = true;
  run_armed(due, point);
  ref::core::select_cpu(machine_, interrupted_);
  end_interrupt();
  inside_ = false;
  machine_.arena.edit(machine_.core.cpu, interrupted_) = context;
  machine_.edit_globals().log = log;
  machine_.edit_globals().injected = injected;
}

void World::run_armed(const std::vector<Step>& due, Point point) {
  for (const Step& step : due) {
    ref::core::clear_log(machine_);
    if (broken()) return;
    const Answer answer = run(step.op);
    ++reach_.points[static_cast<std::size_t>(point)];
    if (step.answer) expect_answer(*step.answer, answer);
  }
}

// A temporary map is gone when the interrupt that made it returns: the newest first.
void World::end_interrupt() {
  for (;;) {
    HeldMap* newest = nullptr;
    for (HeldMap& h : maps_)
      if (h.live && h.inside && (newest == nullptr || h.serial > newest->serial)) newest = &h;
    if (newest == nullptr || broken()) return;
    ref::core::clear_log(machine_);
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
