// properties: sentences that are true of every trace of the page allocator.
#pragma once
#include "props/buddy/world.hpp"
#include "props/core/property.hpp"

namespace props::buddy {

using Property = props::Property<Newborn, Operation>;

std::span<const Property> properties();

}  // namespace props::buddy
