// shows: the reference's own texts (below /proc) and its geometry, at the end of a trace.
//
//   text ──▶ run isolated ──▶ as far as it is sound ──▶ buddyinfo, zoneinfo, machine
#pragma once
#include <array>
#include <expected>
#include <string>
#include <string_view>

#include "fuzz/engine/run.hpp"
#include "ref/vmalloc/vmalloc.hpp"

namespace fuzz {

struct ShowName {
  std::string_view name, help;
};
inline constexpr std::array show_names{
    ShowName{"buddyinfo", "/proc/buddyinfo: free blocks by zone and order"},
    ShowName{"zoneinfo", "/proc/zoneinfo: watermarks, reserves, per-CPU lists"},
    ShowName{"slabinfo", "/proc/slabinfo: caches, slabs, tunables; empty below the slab row"},
    ShowName{"vmallocinfo", "/proc/vmallocinfo: areas of the window; empty below the vmalloc row"},
    ShowName{"window", "a map of the kernel's addresses: who owns what, where the guards are"},
    ShowName{"machine", "the geometry, and what every default came to"},
};

struct Shown {
  RunResult result;  // of the run that came before
  std::string text;
};

// One of the names above; "window.svg" is the map as a figure. Every row stands on the buddy's
// machine, so every row can show it; from the mmu row on there is a window, from the slab row on
// there are caches, and from the vmalloc row on areas to show as well.
std::string show_machine(const ref::buddy::Machine&, std::string_view what);
std::string show_machine(const ref::mmu::Machine&, std::string_view what);
std::string show_machine(const ref::slab::Machine&, std::string_view what);
std::string show_machine(const ref::vmalloc::Machine&, std::string_view what);

template <class L>
std::expected<Shown, props::TraceError> show(std::string_view text, std::string_view what) {
  const auto trace = props::parse_trace<typename L::Operation>(text);
  if (!trace) return std::unexpected(trace.error());
  const auto judging = replay_judging<L>(*trace);
  Shown shown{run_isolated<L>(*trace, judging, RunLimits{}), {}};
  // A step that breaks a rule, or the process, is not gone into: what it leaves means nothing.
  const std::size_t sound = shown.result.end == RunResult::End::clean
                                ? trace->steps.size()
                                : std::min(shown.result.step, trace->steps.size());
  const typename L::Newborn newborn(trace->machine);
  typename L::World world(newborn, judging);
  for (std::size_t i = 0; i < sound; ++i) world.apply(trace->steps[i]);
  shown.text = show_machine(world.machine(), what);
  return shown;
}

}  // namespace fuzz
