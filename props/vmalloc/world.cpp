// The life of a world: boot, steps, armed steps.
#include "props/vmalloc/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/core/mixer.hpp"
#include "props/slab/rules.hpp"
#include "props/vmalloc/runner.hpp"

namespace props::vmalloc {
namespace {

using ref::core::Point;

constexpr std::size_t armed_max = 64;  // more can wait at no step that a person would write

}  // namespace

Judging Judging::scaled(std::uint64_t pages, std::uint64_t turn) const {
  constexpr std::uint64_t pages_each_step = 256, pages_each_run = 1024;
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
  newborn_ = &newborn;
  judging_ = judging;
  areas_ = {}, blocks_ = {};
  const auto& window = machine_.mmu.window;
  ranges_ = Ranges(Range{window.vmalloc_start, window.vmalloc_end});
  contents_.clear();
  lost_.clear(), lost_lists_.clear();
  lost_counted_ = 0;
  pending_ = {};
  armed_.clear();
  inside_ = interleaved_ = hidden_ = false;
  busy_ = 0, busy_blocks_ = 0;
  step_ = 0;
  stamps_ = 0;
  reach_ = {};
  ++reach_.runs[0];
  ++reach_.eras[static_cast<std::size_t>(machine_.config.era)];
  violation_.reset();
}

std::uint32_t World::waiting() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(pending_, [](const auto& p) { return p.has_value(); }));
}

void World::break_rule(std::string_view rule, std::string expected, std::string actual) {
  if (violation_) return;
  const Rule* known = find_rule(rules(), rule);
  if (known == nullptr) known = slab::find_rule(rule);
  if (known == nullptr) known = find_rule(run_rules(), rule);
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
  const Answer answer = run(step.op);
  skip_armed();
  if (step.answer) expect_answer(*step.answer, answer);
  if (!broken()) after_step();
  if (!broken()) ++step_;
  return answer;
}

void World::expect_answer(Answer demanded, Answer given) {
  if (!broken() && given != demanded)
    break_rule("STEP-ANSWER", print_answer(demanded), print_answer(given));
}

// Those whose point was not passed.
void World::skip_armed() {
  for (const Step& missed : armed_) ++reach_.skipped[missed.op.index()];
  armed_.clear();
}

// An armed step is a hard interrupt on this CPU, unless it first selects another. Afterwards the
// CPU and its context are as they were.
void World::at(Point point) {
  ++reach_.reached[static_cast<std::size_t>(point)];
  if (inside_ || armed_.empty() || broken()) return;
  const auto is_due = [&](const Step& s) { return s.at == point; };
  if (std::ranges::none_of(armed_, is_due)) return;
  std::vector<Step> due;
  std::ranges::copy_if(armed_, std::back_inserter(due), is_due);
  std::erase_if(armed_, is_due);

  const std::uint32_t cpu = machine_.globals().cpu;
  const ref::core::Cpu context = machine_.arena.at(machine_.core.cpu, cpu);
  const ref::core::Log log = machine_.globals().log;
  const std::uint32_t injected = machine_.globals().injected;
  ++machine_.arena.edit(machine_.core.cpu, cpu).hardirq_count;
  inside_ = interleaved_ = true;
  for (const Step& step : due) {
    ref::core::clear_log(machine_);
    if (broken()) break;
    const Answer answer = run(step.op);
    ++reach_.points[static_cast<std::size_t>(point)];
    if (step.answer) expect_answer(*step.answer, answer);
  }
  inside_ = false;
  ref::core::select_cpu(machine_, cpu);
  machine_.arena.edit(machine_.core.cpu, cpu) = context;
  machine_.edit_globals().log = log;
  machine_.edit_globals().injected = injected;
}

// --- the state as numbers, and as a picture ------------------------------------------------------

ref::core::Hash World::digest() const {
  ref::core::Hash sum = machine_.arena.hash();
  for (const auto& e : machine_.events) {
    sum.low = sum.low * 0x9e3779b97f4a7c15 + e.pgalloc;
    sum.high = sum.high * 0xbf58476d1ce4e5b9 + e.pgfree;
  }
  return sum;
}

ref::core::Hash World::exact_state() const {
  Mixer state;
  state.add(machine_.arena.hash());
  for (const Area& a : areas_) {
    state.add(static_cast<std::uint64_t>(a.state) | static_cast<std::uint64_t>(a.kind) << 8 |
              (a.owns_pages ? 1u << 16 : 0u) | (a.lazy ? 1u << 17 : 0u) |
              std::uint64_t{a.flags} << 32);
    state.add(static_cast<std::uint64_t>(a.address)), state.add(a.first);
    state.add(a.bytes), state.add(a.guard), state.add(a.stamp), state.add(a.pages.size());
    for (const Pfn pfn : a.pages) state.add(pfn);
  }
  for (const Block& b : blocks_)
    state.add((b.live ? 1u : 0u) | std::uint64_t{b.order} << 8 | std::uint64_t{b.pfn} << 16);
  for (const auto& [pfn, stamp] : contents_) state.add(std::uint64_t{pfn} << 32 | stamp);
  for (const Pfn pfn : lost_) state.add(pfn);
  for (const Address list : lost_lists_) state.add(static_cast<std::uint64_t>(list));
  for (const auto& p : pending_)
    state.add(p ? print_operation(*p, machine_.config.era) : std::string());
  for (const Step& step : armed_) state.add(print_step(step, machine_.config.era));
  state.add(stamps_), state.add(hidden_), state.add(lost_counted_);
  return state.sum();
}

// What the registers hold, and the window by pages.
std::string World::picture() const {
  constexpr std::array<std::string_view, 6> kinds{"vmalloc",  "vmap",       "ioremap",
                                                  "reserved", "vm_map_ram", "kmalloc"};
  std::string text;
  for (std::size_t r = 0; r < areas_.size(); ++r) {
    const Area& a = areas_[r];
    if (!a.taken()) continue;
    text += fmt::format("a{:<3} {:#x}  {} bytes and {} of guard, {}{}\n", r,
                        static_cast<std::uint64_t>(a.address), a.bytes, a.guard,
                        kinds[static_cast<std::size_t>(a.kind)],
                        a.state == Area::State::deferred ? ", to be freed" : "");
  }
  constexpr std::uint64_t most = 512, row = 64;
  const Range& window = ranges_.window();
  const std::uint64_t page = machine_.config.page_bytes;
  std::uint64_t i = 0;
  for (std::uint64_t at = window.first; at < window.end && i < most; at += page, ++i) {
    if (i % row == 0) text += fmt::format("{}{:#x}  ", i == 0 ? "" : "\n", at);
    char c = ranges_.free_at(at) ? '.' : '?';
    for (const Area& a : areas_)
      if (a.taken() && a.range().holds(at)) c = at < a.first + a.bytes ? '#' : 'g';
    if (c == '.' && ref::mmu::walk(machine_, Address{at})) c = '!';
    text += c;
  }
  if (i == most) text += " ...";
  return text + "\n  # an area   g its guard   . nobody's   ! nobody's, but mapped\n";
}

}  // namespace props::vmalloc
