// model: a naive slab cache, straight from the sentences, that says what one call must do.
//
//   before the call   Model expected = Model::of(machine, cache)      deques, vectors, no links
//   after it          expected.allocated(machine, address)            first difference, or nothing
//
// It is made of the machine's state before the call and plays the call on it. Pages are not its
// business: where the machine has a new slab after the call, the model takes it when it must grow,
// and where it has none, the page allocator refused. It has no opinion on calls during which others
// acted, or page requests were made to fail.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "props/core/violation.hpp"
#include "ref/slab/slab.hpp"

namespace props::slab {

class Model {
 public:
  using Machine = ref::slab::Machine;
  using Index = ref::core::Index;
  using Object = std::uint64_t;  // an address

  static Model of(const Machine&, ref::slab::CacheId);

  // The call that was made on the model's machine, the machine after it, and its answer.
  std::optional<Finding> allocated(const Machine& after, std::optional<ref::slab::Address> answer);
  std::optional<Finding> freed(const Machine& after, ref::slab::Address);
  std::optional<Finding> shrunk(const Machine& after, bool slabs_remain);
  std::optional<Finding> reaped(const Machine& after);

 private:
  using SlabId = std::uint64_t;  // the address of its first frame
  struct Stack {                 // of a CPU, shared, or alien
    bool there = false, touched = false;
    std::size_t limit = 0, batch = 0;
    std::deque<Object> objects;  // the newest is last
    bool operator==(const Stack&) const = default;
  };
  struct SlabOf {
    Object first = 0;
    std::deque<std::uint32_t> free;  // the next to go out is first
  };
  struct Lists {
    std::deque<SlabId> full, partial, free;
    std::uint64_t free_objects = 0, free_limit = 0;
    std::uint32_t colour_next = 0;
    bool free_touched = false;
    std::uint32_t next_reap = 0;
    Stack shared;
    std::vector<Stack> alien;  // by node
  };

  std::optional<Object> alloc(const Machine& after);
  void free(Object);
  void shrink();
  void reap();
  void refill(Stack&, Lists&, const Machine& after);
  std::optional<SlabId> grow(Lists&, const Machine& after);
  bool take_from_lists(Stack&, Lists&, std::size_t& batch);
  void take_from(SlabId, Stack&, Lists&, std::size_t& batch);
  void file(SlabId, Lists&);
  void drop(SlabId, Lists&);
  void flush(Stack&, Lists&);
  void free_block(const std::vector<Object>&, Lists&);
  void free_oldest(Stack&, Lists&, std::size_t count);
  void drain_alien(Stack&, Lists& home);
  void reap_stack(Stack&, Lists&);
  void read_nodes(const Machine&);
  void read_arrays(const Machine&);
  SlabId slab_of(Object) const;
  std::uint32_t node_of(Object) const;
  std::optional<Finding> difference(const Machine& after) const;

  bool old_ = false, grew_ = false;
  bool sure_ = true;  // sure: what happens is within this model
  Index cache_ = 0;
  std::uint32_t num_ = 0, size_ = 0, in_front_ = 0, colour_ = 0, colour_off_ = 0, flags_ = 0;
  std::uint32_t given_ = 0;  // bytes from an object's begin to its caller's
  std::uint32_t cpu_ = 0, clock_ = 0, reap_node_ = 0;
  std::vector<std::uint32_t> cpu_node_;
  std::vector<Stack> cpus_;
  std::vector<Lists> nodes_;
  std::map<SlabId, SlabOf> slabs_;
  std::map<SlabId, std::uint32_t> slab_node_;
  std::vector<SlabId> dropped_;
};

}  // namespace props::slab
