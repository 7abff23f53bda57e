// Tells before a step runs whether it would be skipped, so that a search draws another.
#include "props/slab/generator.hpp"

namespace props::slab {
namespace {

// The usual reasons, by type of argument.
class Skips {
 public:
  explicit Skips(const World& w) : w_(w) {}
  bool operator()(const CacheCreate& op) const { return !w_.up() || !w_.vacant(op.out); }
  bool operator()(const CacheAlloc& op) const { return !w_.vacant(op.out) || empty(op.cache); }
  bool operator()(const CacheAllocNode& op) const { return !w_.vacant(op.out) || empty(op.cache); }
  bool operator()(const CacheAllocBulk& op) const {
    return !w_.vacant(op.first) || !is(op.cache, HeldCache::State::live);
  }
  bool operator()(const CacheDestroy& op) const { return empty(op.cache); }
  bool operator()(const CacheShrink& op) const { return empty(op.cache); }
  bool operator()(const CacheSize& op) const { return !is(op.cache, HeldCache::State::live); }
  bool operator()(const AllocPages& op) const { return !w_.vacant(op.out); }
  bool operator()(const FreePages& op) const { return !w_.pages()[op.page.value].live; }
  bool operator()(const FreeStaleObject& op) const { return !stale(op.object); }
  bool operator()(const WriteAfterFree& op) const {
    return !stale(op.object) || !w_.machine().config.slab_debug;
  }
  bool operator()(const Overrun& op) const {
    return !w_.objects()[op.object.value].live || !w_.machine().config.slab_debug;
  }
  bool operator()(const FreeToWrongCache& op) const {
    return !w_.objects()[op.object.value].live || is(op.cache, HeldCache::State::empty);
  }
  bool operator()(const FreeInterior& op) const {
    const HeldObject& o = w_.objects()[op.object.value];
    return !o.live || op.offset.value >= o.bytes;
  }
  bool operator()(const CacheFree& op) const { return !w_.objects()[op.object.value].live; }
  bool operator()(const TouchObject& op) const { return !w_.objects()[op.object.value].live; }
  bool operator()(const CacheFreeBulk& op) const { return !w_.objects()[op.first.value].live; }
  bool operator()(const SelectCpu& op) const { return op.id.value >= w_.machine().config.cpus; }
  template <class Op>
  bool operator()(const Op&) const {
    return false;
  }

 private:
  bool is(CacheRegister r, HeldCache::State state) const {
    return w_.caches()[r.value].state == state;
  }
  bool empty(CacheRegister r) const {
    return is(r, HeldCache::State::empty) || is(r, HeldCache::State::lingers);
  }
  bool stale(ObjectRegister r) const {
    return !w_.objects()[r.value].live && w_.objects()[r.value].address != 0;
  }
  const World& w_;
};

}  // namespace

bool would_skip(const World& w, const Operation& op) { return std::visit(Skips(w), op); }

}  // namespace props::slab
