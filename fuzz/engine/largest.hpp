// largest: the largest single request that each interface grants on a machine, found by asking.
//
//   newborn machine ──▶ ask 1, 2, 4, ... until one is refused ──▶ bisect ──▶ largest, buddyinfo
//
// Each request is made of a copy of the newborn machine, so none spoils the next.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ref/core/config.hpp"

namespace fuzz {

struct Largest {
  std::string_view interface;    // "kmalloc"
  std::uint64_t documented = 0;  // bytes that the kernel promises of the interface, memory allowing
  std::string_view documented_as;
  std::uint64_t granted = 0;  // bytes; 0: not even one
  std::string buddyinfo;      // with the largest one granted
};

struct LargestRequests {
  std::string machine;
  std::string buddyinfo;  // before
  std::vector<Largest> requests;
};

LargestRequests largest_requests(const ref::core::Config&);
std::string largest_text(const LargestRequests&);

}  // namespace fuzz
