// properties: sentences that are true of every trace of mappings.
#pragma once
#include "props/core/property.hpp"
#include "props/kmap/world.hpp"

namespace props::kmap {

using Property = props::Property<Newborn, Operation>;

std::span<const Property> properties();

}  // namespace props::kmap
