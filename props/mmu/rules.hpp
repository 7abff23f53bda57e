// rules: the register of what must hold of page tables and TLBs.
//
//   MMU-...      the reference's own records: what a client sees of them, kmap and vmalloc judge
//
// A machine with page tables is a page allocator's machine as well, so a finding may carry a rule
// of that row.
#pragma once
#include "props/core/rule.hpp"

namespace props::mmu {

std::span<const Rule> rules();  // of this layer

// The rule of that id, of this layer or of the page allocator below; or null.
const Rule* find_rule(std::string_view id);

}  // namespace props::mmu
