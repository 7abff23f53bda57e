// layer: what the engines need to know of the object allocator's row, and nothing else.
#pragma once
#include "props/slab/generator.hpp"
#include "props/slab/properties.hpp"
#include "props/slab/rules.hpp"
#include "props/slab/world.hpp"

namespace props::slab {

struct Layer {
  static constexpr std::string_view name = "slab";
  static constexpr bool objects = true;  // its machines have keys that pages know nothing of
  using Operation = props::slab::Operation;
  using Step = props::slab::World::Step;
  using Trace = props::Trace<Operation>;
  using World = props::slab::World;
  using Newborn = props::slab::Newborn;
  using Judging = props::slab::Judging;
  using Reach = props::slab::Reach;
  using Generator = props::slab::Generator;
  static Config draw_machine(Random& random) { return props::slab::draw_machine(random); }
  static std::span<const Rule> rules() { return props::slab::rules(); }
  static std::span<const Property> properties() { return props::slab::properties(); }
};

}  // namespace props::slab
