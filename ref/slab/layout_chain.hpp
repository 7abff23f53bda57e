// layout_chain: the layout of slabs in 2.6.11, with the management in front of the objects.
#pragma once
#include "ref/slab/layout.hpp"

namespace ref::slab {

std::optional<Layout> layout_chain(const Machine&, const LayoutAsk&);

}  // namespace ref::slab
