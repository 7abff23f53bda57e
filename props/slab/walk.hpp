// walk: a machine that is driven at random through its calls alone; for tests of what judges it.
//
//   Walk walk(config, random);   walk.run(100, random);   first_broken(walk.machine())
//
// It makes no mistakes, frees only what it has, and asks the naive model about every call.
#pragma once
#include <vector>

#include "props/core/random.hpp"
#include "props/slab/model.hpp"

namespace props::slab {

class Walk final : private ref::core::Env {
 public:
  explicit Walk(const ref::core::Config&);
  void run(std::uint64_t steps, Random&);
  void shrink_own();  // all caches that it created, so that some slabs wait for a grace period
  const ref::slab::Machine& machine() const { return machine_; }
  ref::slab::Machine& edit_machine() { return machine_; }
  // What the model had to say first.
  const std::optional<Finding>& finding() const { return finding_; }
  std::uint64_t judged() const { return judged_; }  // calls that the model had an opinion on

  struct Object {
    ref::slab::CacheId cache;
    ref::slab::Address address;
  };
  const std::vector<Object>& objects() const { return objects_; }

 private:
  void step(Random&);
  void create(Random&);
  void destroy(std::size_t which);
  void alloc(ref::slab::CacheId, ref::core::Gfp);
  void bulk(ref::slab::CacheId, std::size_t count, ref::core::Gfp);
  void free(std::size_t which);
  void free_bulk(ref::slab::CacheId);
  void shrink(ref::slab::CacheId);
  void reap();
  void tune(Random&);
  ref::slab::CacheId some_cache(Random&) const;
  void judge(std::optional<Finding>);

  ref::slab::Machine machine_;
  std::vector<ref::slab::CacheId> own_;  // created, by reference
  std::vector<Object> objects_;
  std::optional<Finding> finding_;
  std::uint64_t judged_ = 0, names_ = 0;
};

// Machines whose geometry makes slabs of all kinds.
ref::core::Config draw_walk(Random&);

}  // namespace props::slab
