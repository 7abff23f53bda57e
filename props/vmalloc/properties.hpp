// properties: sentences that are true of every trace of the vmalloc window.
#pragma once
#include "props/core/property.hpp"
#include "props/vmalloc/world.hpp"

namespace props::vmalloc {

using Property = props::Property<Newborn, Operation>;

std::span<const Property> properties();

}  // namespace props::vmalloc
