// rules: what recorded traffic of a kernel must keep; the room's part of the register.
#pragma once
#include <span>

#include "props/core/rule.hpp"

namespace props::recorded {

std::span<const Rule> rules();

const Rule& aligned_rule();   // LINUX-ALIGNED
const Rule& disjoint_rule();  // LINUX-DISJOINT

const Rule& kmalloc_class_rule();   // LINUX-KMALLOC-CLASS
const Rule& object_aligned_rule();  // LINUX-OBJECT-ALIGNED
const Rule& object_overlap_rule();  // LINUX-OBJECT-OVERLAP
const Rule& object_size_rule();     // LINUX-OBJECT-SIZE

}  // namespace props::recorded
