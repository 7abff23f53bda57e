// scene: a world on a machine line, fed with lines of a trace; for tests.
//
//   Scene s(small);
//   s.run("c0 = kmem_cache_create(...) -> count 100");   s.machine() = ...;   s.broken() ==
//   "OBJECT-..."
//
// The reference is right, so nothing breaks by itself: tests reach behind the world's back and edit
// its machine, as a faulty allocator would have left it.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "props/slab/world.hpp"

namespace props::slab {

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
  ref::slab::Machine& machine() { return const_cast<ref::slab::Machine&>(world_.machine()); }
  World& world() { return world_; }
  const HeldObject& object(std::size_t reg) { return world_.objects()[reg]; }
  CacheId cache(std::size_t reg) { return world_.caches()[reg].id; }
  ref::slab::Cache& record(std::size_t reg) {
    return machine().arena.edit(machine().slab.cache, static_cast<std::uint64_t>(cache(reg)));
  }
  // The addresses that this CPU's array of a cache hands out next, the next one last.
  std::span<std::uint64_t> in_array(std::size_t reg) {
    ref::slab::Machine& m = machine();
    const std::uint64_t at =
        static_cast<std::uint64_t>(cache(reg)) * m.config.cpus + m.globals().cpu;
    const std::uint32_t avail = m.arena.at(m.slab.cpu_array, at).avail;
    return {&m.arena.edit(m.slab.cpu_entry, at * ref::slab::cpu_entries_max), avail};
  }
  std::string broken() const {
    return world_.violation() ? std::string(world_.violation()->rule->id) : "";
  }
  std::string broken_at_end() {
    world_.finish();
    return broken();
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

inline const std::string small = "era=linux-6.1 zones=NORMAL:64";
inline const std::string small_old = "era=linux-2.6.11 zones=NORMAL:64";
inline const std::string make =
    "c0 = kmem_cache_create(name=inode, size=100, align=0, flags=0, ctor=0)\n";
inline const std::string make_constructed =
    "c0 = kmem_cache_create(name=inode, size=100, align=0, flags=0, ctor=1)\n";

}  // namespace props::slab
