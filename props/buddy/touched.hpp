// touched: the invariants of what one step can have changed, at a cost that no machine's size
// changes.
//
//   zone     Σ count << order = free pages      the ends of each free list, linked both ways
//   CPU      Σ its lists = its count            the ends of its lists; nobody inside
//   block    live: whole and referenced    free: listed, its buddy not free    inner: has a head
//
// What no step changes (the geometry of zones), whose task runs where (contexts), and the middle of
// a list that no step went through are left to the full walk (invariants.hpp). What both look at,
// both name by the same rule.
#pragma once
#include <array>

#include "props/core/violation.hpp"
#include "ref/buddy/machine.hpp"

namespace props::buddy {

// What a step touched.
struct Touched {
  std::uint32_t zones = 0;              // bit z: zone z
  std::optional<ref::core::Pfn> block;  // one that changed hands

  void zone(std::uint32_t z) { zones |= 1u << z; }
  void all() { zones = ~0u; }
};

// The check after every step of one run. A free list that is as it was when last found right is not
// looked at again: on a large machine its ends are cold memory.
class TouchedCheck {
 public:
  void forget() { right_ = {}; }  // a new run begins
  std::optional<Finding> first_broken(const ref::buddy::Machine&, const Touched&);

 private:
  std::optional<Finding> zone_broken(const ref::buddy::Machine&, ref::core::Index zone);
  using Lists = std::array<ref::buddy::List, ref::core::orders_max>;  // by order
  std::array<Lists, ref::core::zones_max> right_{};
};

}  // namespace props::buddy
