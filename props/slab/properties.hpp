// properties: sentences that are true of every trace of the object allocator.
#pragma once
#include "props/core/property.hpp"
#include "props/slab/world.hpp"

namespace props::slab {

using Property = props::Property<Newborn, Operation>;

std::span<const Property> properties();

}  // namespace props::slab
