// layer: what the engines need to know of kmalloc's row, and nothing else.
#pragma once
#include "props/kmalloc/generator.hpp"
#include "props/kmalloc/properties.hpp"
#include "props/kmalloc/world.hpp"

namespace props::kmalloc {

struct Layer {
  static constexpr std::string_view name = "kmalloc";
  static constexpr bool objects = true;  // the machine's keys for object allocators count
  using Operation = props::kmalloc::Operation;
  using Step = props::kmalloc::World::Step;
  using Trace = props::Trace<Operation>;
  using World = props::kmalloc::World;
  using Newborn = props::kmalloc::Newborn;
  using Judging = props::kmalloc::Judging;
  using Reach = props::kmalloc::Reach;
  using Generator = props::kmalloc::Generator;
  static Config draw_machine(Random& random) { return props::kmalloc::draw_machine(random); }
  static std::span<const Rule> rules() { return props::kmalloc::rules(); }
  static std::span<const Property> properties() { return props::kmalloc::properties(); }
};

}  // namespace props::kmalloc
