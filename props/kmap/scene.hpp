// scene: a world on a machine line, fed with lines of a trace; for tests.
//
//   Scene s(small);
//   s.run("m0 = kmap(page=p0, index=0) -> address 0x...");   s.machine() = ...;   s.broken() ==
//   "..."
//
// The reference is right, so nothing breaks by itself: tests reach behind the world's back and edit
// its machine, as a faulty mapper would have left it.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "props/kmap/world.hpp"

namespace props::kmap {

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
  // As a faulty mapper would.
  ref::kmap::Machine& machine() { return const_cast<ref::kmap::Machine&>(world_.machine()); }
  World& world() { return world_; }
  const HeldMap& map(std::size_t reg) { return world_.maps()[reg]; }
  ref::kmap::KmapGlobals& globals() { return machine().arena.edit(machine().kmap.globals, 0); }
  std::uint32_t& count(std::uint32_t slot) {
    return machine().arena.edit(machine().kmap.count, slot);
  }
  // The page tables map another frame there, or none.
  void remap(std::uint64_t address, std::optional<Pfn> pfn) {
    ref::mmu::unmap(machine(), ref::buddy::Address{address});
    if (pfn) (void)ref::mmu::map(machine(), ref::buddy::Address{address}, *pfn);
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

// Four slots; frames 0 to 31 are low memory, 32 to 63 are not.
inline const std::string small =
    "era=linux-6.1 page=64 orders=5 zones=NORMAL:32,HIGHMEM:32 cpus=2 pcp=off pkmap=4";
inline const std::string small_old =
    "era=linux-2.6.11 page=64 orders=5 zones=NORMAL:32,HIGHMEM:32 cpus=2 pcp=off pkmap=4";
inline const std::string make = "p0 = alloc_pages(order=4, gfp=GFP_HIGHUSER)\n";
inline const std::string fill =
    "m0 = kmap(page=p0, index=0)\nm1 = kmap(page=p0, index=1)\nm2 = kmap(page=p0, index=2)\n"
    "m3 = kmap(page=p0, index=3)\n";

}  // namespace props::kmap
