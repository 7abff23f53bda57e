// scene: a world of the page allocator for tests; see props/core/scene.hpp.
#pragma once
#include "props/buddy/world.hpp"
#include "props/core/scene.hpp"

namespace props::buddy {

class Scene : public SceneOf<World, Newborn, Judging> {
 public:
  using SceneOf::SceneOf;
  const Block& block(std::size_t reg) { return world().blocks()[reg]; }
};

// One block of order 3 at birth, so that pages go out in address order.
inline const std::string tiny = "era=linux-6.1 page=64 orders=4 zones=NORMAL:8 pcp=off";
inline const std::string tiny_old = "era=linux-2.6.11 page=64 orders=4 zones=NORMAL:8 pcp=off";

}  // namespace props::buddy
