// rules: the register of what must hold in the slab layer, by any object allocator and by ours.
//
//   OBJECT-...   any allocator of objects: judged by what a client sees
//   SLAB-...     the reference's own records, its texts, and its policy
//
// A slab machine is a page allocator's machine as well, so a finding may carry a rule of that row.
#pragma once
#include "props/core/rule.hpp"

namespace props::slab {

std::span<const Rule> rules();  // of this layer

// The rule of that id, of this layer or of the page allocator below; or null.
const Rule* find_rule(std::string_view id);

}  // namespace props::slab
