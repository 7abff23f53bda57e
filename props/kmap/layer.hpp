// layer: what the engines need to know of the row of maps, and nothing else.
#pragma once
#include "props/kmap/generator.hpp"
#include "props/kmap/properties.hpp"
#include "props/kmap/rules.hpp"
#include "props/kmap/world.hpp"
#include "props/mmu/rules.hpp"

namespace props::kmap {

struct Layer {
  static constexpr std::string_view name = "kmap";
  static constexpr bool windows = true;  // its machines have keys that pages know nothing of
  using Operation = props::kmap::Operation;
  using Step = props::kmap::World::Step;
  using Trace = props::Trace<Operation>;
  using World = props::kmap::World;
  using Newborn = props::kmap::Newborn;
  using Judging = props::kmap::Judging;
  using Reach = props::kmap::Reach;
  using Generator = props::kmap::Generator;
  static Config draw_machine(Random& random) { return props::kmap::draw_machine(random); }
  // Page tables and TLBs are searched through the maps that stand in them.
  static std::span<const Rule> rules() {
    static const std::vector<Rule> all = [] {
      std::vector<Rule> joined(mmu::rules().begin(), mmu::rules().end());
      joined.insert(joined.end(), props::kmap::rules().begin(), props::kmap::rules().end());
      return joined;
    }();
    return all;
  }
  static std::span<const Property> properties() { return props::kmap::properties(); }
};

}  // namespace props::kmap
