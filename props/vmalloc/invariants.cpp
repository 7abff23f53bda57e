// The white-box invariants of the window's allocator, in order.
#include "props/vmalloc/invariants.hpp"

#include <fmt/format.h>

#include <array>

#include "props/slab/invariants.hpp"
#include "props/vmalloc/invariants_parts.hpp"

namespace props::vmalloc {
namespace {

constexpr std::array table{
    Invariant{"VMALLOC-WINDOW", window_broken},     Invariant{"VMALLOC-RECORDS", records_broken},
    Invariant{"VMALLOC-PARTITION", tiles_broken},   Invariant{"VMALLOC-ORDERED", lists_broken},
    Invariant{"VMALLOC-TREE", tree_broken},         Invariant{"VMALLOC-BALANCED", colours_broken},
    Invariant{"VMALLOC-AUGMENTED", largest_broken}, Invariant{"VMALLOC-MERGED", merged_broken},
    Invariant{"VMALLOC-LAZY", lazy_broken},         Invariant{"VMALLOC-AREAS", areas_broken},
    Invariant{"VMALLOC-OBJECTS", objects_broken},   Invariant{"VMALLOC-WAITING", waiting_broken},
    Invariant{"VMALLOC-BLOCKS", blocks_broken},     Invariant{"VMALLOC-ENTRIES", mapped_broken},
    Invariant{"VMALLOC-CACHED", cached_broken},     Invariant{"VMALLOC-COUNTED", counted_broken},
    Invariant{"VMALLOCINFO-TEXT", text_broken},
};

}  // namespace

std::span<const Invariant> invariants() { return table; }

std::optional<Finding> first_broken(const Machine& m) {
  if (auto finding = slab::first_broken(m)) return finding;
  for (const Invariant& invariant : table)
    if (const Broken w = invariant.broken(m))
      return Finding{invariant.rule, fmt::format("{}: {}", w->where, w->expected),
                     fmt::format("{}", w->actual)};
  return std::nullopt;
}

}  // namespace props::vmalloc
