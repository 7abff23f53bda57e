// scene: a world of the object allocator for tests; see props/core/scene.hpp.
#pragma once
#include "props/core/scene.hpp"
#include "props/slab/world.hpp"

namespace props::slab {

class Scene : public SceneOf<World, Newborn, Judging> {
 public:
  using SceneOf::SceneOf;
  const HeldObject& object(std::size_t reg) { return world().objects()[reg]; }
  CacheId cache(std::size_t reg) { return world().caches()[reg].id; }
  ref::slab::Cache& record(std::size_t reg) {
    return machine().arena.edit(machine().slab.cache, static_cast<std::uint64_t>(cache(reg)));
  }
  // The addresses that this CPU's array of a cache hands out next, the next one last.
  std::span<std::uint64_t> in_array(std::size_t reg) {
    ref::slab::Machine& m = machine();
    const std::uint64_t at =
        static_cast<std::uint64_t>(cache(reg)) * m.config.cpus + m.globals().cpu;
    const std::uint32_t avail = m.arena.at(m.slab.cpu_array, at).avail;
    return {&m.arena.edit(m.slab.cpu_entry, at * ref::slab::cpu_entries_max), avail};
  }
};

inline const std::string small = "era=linux-6.1 zones=NORMAL:64";
inline const std::string small_old = "era=linux-2.6.11 zones=NORMAL:64";
inline const std::string make =
    "c0 = kmem_cache_create(name=inode, size=100, align=0, flags=0, ctor=0)\n";
inline const std::string make_constructed =
    "c0 = kmem_cache_create(name=inode, size=100, align=0, flags=0, ctor=1)\n";

}  // namespace props::slab
