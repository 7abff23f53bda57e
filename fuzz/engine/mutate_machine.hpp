// mutate_machine: changes one thing about the machine of a trace: pages, zones, CPUs, its era.
#pragma once
#include "props/core/random.hpp"
#include "ref/core/config.hpp"

namespace fuzz {

// Machines beyond this find nothing more, only slower; mutation stays below.
constexpr std::uint64_t mutated_pages_max = 4096;

// Which keys of the machine line mean something to a row, beside those of pages.
struct MachineKeys {
  bool objects = false, windows = false;
};

// One field becomes another value, and the machine stays a valid one. False: nothing was changed,
// because what was drawn does not fit.
bool mutate_machine(ref::core::Config&, props::Random&, MachineKeys = {});

}  // namespace fuzz
