// stages: what a minimizer does, in this order; listed once, for progress, tables and the manual.
//
//   drop ─▶ machine, answers, points, arguments, registers ─▶ pairs ─▶ search
//    ▲                                                          │        │
//    └────────────────── when a trace became smaller ───────────┴────────┘
//
// A level is complete when none of its stages, nor of the levels before, finds anything smaller.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fuzz {

enum class Level : std::uint8_t { deletion, simplification, pairs, search };
inline constexpr std::array<std::string_view, 4> level_names{"deletion", "simplification", "pairs",
                                                             "search"};

enum class Stage : std::uint8_t {
  drop,
  machine,
  answers,
  points,
  arguments,
  registers,
  pairs,
  search
};
struct StageRow {
  Stage stage;
  Level level;
  std::string_view name, help;
};
inline constexpr std::array stage_table{
    StageRow{Stage::drop, Level::deletion, "drop",
             "Leaves steps out: halves, quarters, at last one by one."},
    StageRow{Stage::machine, Level::simplification, "machine",
             "Fewer nodes, zones, CPUs, reserved ranges, pages and orders; keys that have their "
             "default; the newest era."},
    StageRow{Stage::answers, Level::simplification, "answers",
             "Leaves out answers that were demanded."},
    StageRow{Stage::points, Level::simplification, "points",
             "Runs a step at once that waited for a yield point."},
    StageRow{Stage::arguments, Level::simplification, "arguments",
             "Smaller numbers, plainer flags."},
    StageRow{Stage::registers, Level::simplification, "registers",
             "p0, p1, ... as they appear, ranges moved as a whole, and as few as will do."},
    StageRow{Stage::pairs, Level::pairs, "pairs",
             "Leaves out one step and at the same time another, or changes an argument, a register "
             "or the machine."},
    StageRow{Stage::search, Level::search, "search",
             "Tries every shorter sequence of the operations and arguments left, breadth first."}};

// What a stage has cost, and how often it found something smaller.
struct StageTally {
  std::uint64_t candidates = 0, executed = 0, taken = 0;
  double seconds = 0;
};
using StageTallies = std::array<StageTally, stage_table.size()>;

// How many steps were left when a level was complete for the first time.
struct Milestone {
  Level level;
  std::size_t steps;
  std::uint64_t executed;
  double seconds;
};

}  // namespace fuzz
