// reach_parts: what the files that name the counts of reach share.
#pragma once
#include "props/buddy/reach.hpp"

namespace props::buddy {

// The names of gfp combinations, each once; and the masks that they mean in an era, longest first.
struct GfpNames {
  struct Mask {
    ref::core::Gfp mask;
    std::size_t name;
  };
  std::vector<std::string_view> names;
  std::vector<Mask> masks[ref::core::era_count];
  bool known[ref::core::era_count][Reach::gfp_names_max]{};
};
const GfpNames& names_of_gfp();

// The one era where something is so; none when it is so in both.
inline std::optional<ref::core::EraId> only_era(bool in_old, bool in_new) {
  if (in_old == in_new) return std::nullopt;
  return in_old ? ref::core::EraId::linux_2_6_11 : ref::core::EraId::linux_6_1;
}
template <class F>
std::optional<ref::core::EraId> only_era(F so) {
  using ref::core::EraId;
  return only_era(so(profile_of(EraId::linux_2_6_11)), so(profile_of(EraId::linux_6_1)));
}

// The groups that count machines and runs; reach_groups has the others.
void add_machine_groups(std::vector<ReachGroup>&, const Reach&);

}  // namespace props::buddy
