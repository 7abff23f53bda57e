// model: a naive slab cache, straight from the sentences, that says what one call must do.
//
//   before the call   Model expected = Model::of(machine, cache)      deques, vectors, no links
//   after it          expected.allocated(machine, ask, address)       first difference, or nothing
//
// It is made of the machine's state before the call and plays the call on it. Pages are not its
// business: where the machine has a new slab after the call, the model takes it when it must grow,
// and where it has none, the page allocator refused. It has no opinion on calls during which others
// acted, or page requests were made to fail.
//
// On several nodes a request may grow the cache at three stages: for this CPU's array, on the node
// that was asked, anywhere. Which one got its pages is not to be seen; one of them must fit.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string_view>
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

  // What a request says.
  struct Ask {
    ref::core::Gfp gfp;
    std::optional<std::uint32_t> node;
  };
  struct Tunables {
    std::uint64_t limit, batch, shared;
  };
  using Address = ref::slab::Address;

  // The call that was made on the model's machine, the machine after it, and its answer.
  std::optional<Finding> allocated(const Machine& after, const Ask&, std::optional<Address> answer);
  // As many as there are answers, or, where it was refused, none of so many.
  std::optional<Finding> allocated_bulk(const Machine& after, const Ask&,
                                        std::span<const Address> answers, bool granted);
  std::optional<Finding> freed(const Machine& after, std::span<const Address>);
  std::optional<Finding> shrunk(const Machine& after, bool slabs_remain);
  std::optional<Finding> destroyed(const Machine& after, ref::slab::Destroyed answer);
  std::optional<Finding> reaped(const Machine& after);
  std::optional<Finding> tuned(const Machine& after, const Tunables&,
                               ref::slab::SlabinfoWrite answer);
  // Of a cache that was just made, and shares nothing with an older one.
  static std::optional<Finding> created(const Machine& after, ref::slab::CacheId);
  // The cache that a name means to whoever writes tunables.
  static std::optional<ref::slab::CacheId> named(const Machine&, std::string_view name);

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

  enum class Stage : std::uint8_t { array, node, anywhere };
  std::optional<Object> alloc(const Machine& after, const Ask&);
  std::optional<Object> alloc_from(std::uint32_t node, const Machine& after, const Ask&);
  std::optional<Object> alloc_anywhere(const Machine& after, const Ask&);
  std::optional<Object> take_one(Lists&);
  Object take_one_from(SlabId, Lists&);
  std::optional<Finding> judged(const Machine& after, const Ask&, std::optional<Address> answer);
  void tune(const Tunables&);
  void free(Object);
  void shrink();
  void reap();
  void refill(Stack&, Lists&, const Machine& after);
  std::optional<SlabId> grow(Stage, Lists&, const Machine& after);
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

  bool old_ = false;
  bool sure_ = true;            // what happens is within this model
  Stage stage_ = Stage::array;  // at which the page source gave pages, if it did
  Object answered_ = 0;         // by the call: of several new slabs that one's was made now
  std::uint64_t pages_ = 0;     // that the page source gave out since boot
  std::int32_t references_ = 0;
  std::uint64_t limit_ = 0, batch_ = 0, share_ = 0;  // tunables
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
