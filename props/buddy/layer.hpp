// layer: what the engines need to know of the page allocator's row, and nothing else.
#pragma once
#include "props/buddy/generator.hpp"
#include "props/buddy/properties.hpp"
#include "props/buddy/world.hpp"

namespace props::buddy {

struct Layer {
  static constexpr std::string_view name = "buddy";
  using Operation = props::buddy::Operation;
  using Step = props::buddy::World::Step;
  using Trace = props::Trace<Operation>;
  using World = props::buddy::World;
  using Newborn = props::buddy::Newborn;
  using Judging = props::buddy::Judging;
  using Reach = props::buddy::Reach;
  using Generator = props::buddy::Generator;
  static Config draw_machine(Random& random) { return props::buddy::draw_machine(random); }
  static std::span<const Rule> rules() { return props::buddy::rules(); }
  static std::span<const Property> properties() { return props::buddy::properties(); }
};

}  // namespace props::buddy
