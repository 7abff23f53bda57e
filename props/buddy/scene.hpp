// scene: a world on a machine line, fed with lines of a trace; for tests.
//
//   Scene s("era=linux-6.1 page=64 zones=NORMAL:8");
//   s.run("p0 = alloc_page(gfp=0) -> pfn 0");   s.machine() = ...;   s.broken() == "PAGE-..."
//
// The reference is right, so nothing breaks by itself: tests reach behind the world's back and edit
// its machine, as a faulty allocator would have left it.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "props/buddy/world.hpp"

namespace props::buddy {

class Scene {
 public:
  explicit Scene(const std::string& line, const Judging& judging = Judging::cheap())
      : line_(line), newborn_(*parse_machine(line)), world_(newborn_, judging) {}

  // Runs steps; answers written behind them are judged by the world. Returns the last answer.
  Answer run(const std::string& steps) {
    const auto trace =
        parse_trace<Operation>("allocheck 1\nmachine " + line_ + "\n" + steps + "\nend\n");
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
  ref::buddy::Machine& machine() { return const_cast<ref::buddy::Machine&>(world_.machine()); }
  World& world() { return world_; }
  const Block& block(std::size_t reg) { return world_.blocks()[reg]; }
  std::string broken() const {
    return world_.violation() ? std::string(world_.violation()->rule->id) : "";
  }
  void expect_right() {
    world_.finish();
    EXPECT_EQ(broken(), "") << (world_.violation() ? world_.violation()->expected + " / " +
                                                         world_.violation()->actual
                                                   : "");
  }

 private:
  std::string line_;
  Newborn newborn_;
  World world_;
};

// One block of order 3 at birth, so that pages go out in address order.
inline const std::string tiny = "era=linux-6.1 page=64 orders=4 zones=NORMAL:8 pcp=off";
inline const std::string tiny_old = "era=linux-2.6.11 page=64 orders=4 zones=NORMAL:8 pcp=off";

}  // namespace props::buddy
