// properties: sentences that are true of every trace of kmalloc.
#pragma once
#include "props/core/property.hpp"
#include "props/kmalloc/world.hpp"

namespace props::kmalloc {

using Property = props::Property<Newborn, Operation>;

std::span<const Property> properties();

}  // namespace props::kmalloc
