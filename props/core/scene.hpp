// scene: a world on a machine line, fed with lines of a trace; for tests.
//
//   Scene s("era=linux-6.1 page=64 zones=NORMAL:8");
//   s.run("p0 = alloc_page(gfp=0) -> pfn 0");   s.machine() = ...;   s.broken() == "PAGE-..."
//
// The reference is right, so nothing breaks by itself: tests reach behind the world's back and edit
// its machine, as a faulty allocator would have left it. Each row's Scene adds its registers.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "props/core/machine_line.hpp"
#include "props/core/trace.hpp"

namespace props {

template <class World, class Newborn, class Judging>
class SceneOf {
 public:
  explicit SceneOf(const std::string& line, const Judging& judging = Judging::cheap())
      : line_(line), newborn_(*parse_machine(line)), world_(newborn_, judging) {}

  // Runs steps; answers written behind them are judged by the world. Returns the last answer.
  Answer run(const std::string& steps) {
    const auto trace = parse_trace<typename World::Operation>("allocheck 1\nmachine " + line_ +
                                                              "\n" + steps + "\nend\n");
    if (!trace) {
      ADD_FAILURE() << trace.error().line << ": " << trace.error().what;
      return {};
    }
    Answer last;
    for (const auto& step : trace->steps) last = world_.apply(step);
    return last;
  }
  std::string answer(const std::string& step) { return print_answer(run(step)); }
  // As a faulty allocator would.
  auto& machine() { return const_cast<typename World::Machine&>(world_.machine()); }
  World& world() { return world_; }
  std::string broken() const {
    return world_.violation() ? std::string(world_.violation()->rule->id) : "";
  }
  std::string broken_at_end() {
    world_.finish();
    return broken();
  }
  void expect_right() {
    EXPECT_EQ(broken_at_end(), "")
        << (world_.violation() ? world_.violation()->expected + " / " + world_.violation()->actual
                               : "");
  }

 private:
  std::string line_;
  Newborn newborn_;
  World world_;
};

}  // namespace props
