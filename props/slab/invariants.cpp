// The white-box invariants of the object allocator, in order.
#include "props/slab/invariants.hpp"

#include <fmt/format.h>

#include <array>

#include "props/buddy/invariants.hpp"
#include "props/slab/invariants_parts.hpp"

namespace props::slab {
namespace {

// Caches first, because the others, and the picture, are built on what they look at.
constexpr std::array table{
    Invariant{"SLAB-CHAIN", chain_broken},       Invariant{"SLAB-LAYOUT", layout_broken},
    Invariant{"SLAB-PAGES", pages_broken},       Invariant{"SLAB-COLOURED", colours_broken},
    Invariant{"SLAB-RCU", rcu_broken},           Invariant{"SLAB-LISTED", lists_broken},
    Invariant{"SLAB-COUNTED", counts_broken},    Invariant{"SLAB-MANAGED", management_broken},
    Invariant{"SLAB-INDICES", indices_broken},   Invariant{"SLAB-ARRAYS", arrays_broken},
    Invariant{"SLAB-CONSERVED", sums_broken},    Invariant{"SLAB-LIMITS", limits_broken},
    Invariant{"SLAB-HELD", held_broken},         Invariant{"SLAB-GENERAL", general_broken},
    Invariant{"SLAB-MERGED", merged_broken},     Invariant{"SLAB-CANONICAL", canonical_broken},
    Invariant{"SLABINFO-TEXT", slabinfo_broken},
};

}  // namespace

std::span<const Invariant> invariants() { return table; }

std::optional<Finding> first_broken(const Machine& m) {
  if (auto finding = buddy::first_broken(m)) return finding;
  for (const Invariant& invariant : table)
    if (const Broken w = invariant.broken(m))
      return Finding{invariant.rule, fmt::format("{}: {}", w->where, w->expected),
                     fmt::format("{}", w->actual)};
  return std::nullopt;
}

}  // namespace props::slab
