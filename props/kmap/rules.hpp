// rules: the register of what must hold of mappings of high memory, by any mapper and by ours.
//
//   KMAP-..., ATOMIC-...   subject: any mapper of pages to slots, judged by what a client sees
//                          reference: the reference's own records, and its policy
//
// A kmap machine has page tables and pages as well, so a finding may carry a rule of those rows.
#pragma once
#include "props/core/rule.hpp"

namespace props::kmap {

std::span<const Rule> rules();  // of this layer

// The rule of that id, of this layer or of those below; or null.
const Rule* find_rule(std::string_view id);

}  // namespace props::kmap
