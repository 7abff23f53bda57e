// layer: what the engines need to know of vmalloc's row, and nothing else.
#pragma once
#include "props/vmalloc/generator.hpp"
#include "props/vmalloc/properties.hpp"
#include "props/vmalloc/world.hpp"

namespace props::vmalloc {

struct Layer {
  static constexpr std::string_view name = "vmalloc";
  static constexpr bool objects = true;  // the machine's keys for object allocators count
  static constexpr bool windows = true;  // and those for the window
  using Operation = props::vmalloc::Operation;
  using Step = props::vmalloc::World::Step;
  using Trace = props::Trace<Operation>;
  using World = props::vmalloc::World;
  using Newborn = props::vmalloc::Newborn;
  using Judging = props::vmalloc::Judging;
  using Reach = props::vmalloc::Reach;
  using Generator = props::vmalloc::Generator;
  static Config draw_machine(Random& random) { return props::vmalloc::draw_machine(random); }
  static std::span<const Rule> rules() { return props::vmalloc::rules(); }
  static std::span<const Property> properties() { return props::vmalloc::properties(); }
};

}  // namespace props::vmalloc
