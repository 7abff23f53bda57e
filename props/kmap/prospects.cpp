// Tells before a step runs whether it would be skipped, so that a search draws another.
#include "props/kmap/generator.hpp"

namespace props::kmap {
namespace {

// The usual reasons, by type of argument.
class Skips {
 public:
  explicit Skips(const World& w) : w_(w) {}
  bool operator()(const AllocPages& op) const { return !w_.vacant(op.out); }
  bool operator()(const FreePages& op) const {
    const HeldPages& p = w_.pages()[op.page.value];
    return !p.live || w_.pinned(p);
  }
  bool operator()(const Kmap& op) const { return unmappable(op); }
  bool operator()(const KmapAtomic& op) const { return unmappable(op); }
  bool operator()(const KmapLocal& op) const { return unmappable(op) || !w_.stacked(); }
  bool operator()(const KmapHighGet& op) const {
    return unmappable(op) || !w_.slots().address_of(*w_.frame(op.page, op.index));
  }
  bool operator()(const Kunmap& op) const { return !is(op.map, HeldMap::Kind::persistent); }
  bool operator()(const KunmapStale& op) const {
    const HeldMap& h = held(op.map);
    return h.live || h.kind != HeldMap::Kind::persistent;
  }
  bool operator()(const KunmapAtomic& op) const {
    return !is(op.map, HeldMap::Kind::atomic) || !w_.usable(held(op.map));
  }
  bool operator()(const KunmapAtomicAs& op) const {
    return w_.stacked() || !is(op.map, HeldMap::Kind::atomic) || !w_.usable(held(op.map));
  }
  bool operator()(const KunmapLocal& op) const {
    const HeldMap& h = held(op.map);
    if (h.live && h.kind == HeldMap::Kind::persistent) return !h.high || !w_.stacked();
    if (h.live) return h.kind != HeldMap::Kind::local || !w_.usable(h);
    return h.kind != HeldMap::Kind::local || !h.high || h.cpu != w_.machine().globals().cpu ||
           w_.depth(w_.machine().cpu().task) > 0;
  }
  bool operator()(const TouchMap& op) const { return !touchable(held(op.map)); }
  bool operator()(const KmapToPage& op) const { return !touchable(held(op.map)); }
  bool operator()(const Prefetch& op) const {
    return held(op.map).kind == HeldMap::Kind::none || !held(op.map).high;
  }
  bool operator()(const KunmapPage& op) const { return !w_.frame(op.page, op.index); }
  bool operator()(const PageAddress& op) const { return !w_.frame(op.page, op.index); }
  bool operator()(const ZeroSegments& op) const { return !w_.frame(op.page, op.index); }
  bool operator()(const SlotToPage& op) const {
    return !w_.up() || op.slot.value > w_.machine().config.pkmap;
  }
  bool operator()(const FlushUnused&) const { return !w_.up() || w_.machine().config.pkmap == 0; }
  bool operator()(const SelectCpu& op) const { return op.id.value >= w_.machine().config.cpus; }
  bool operator()(const SelectTask& op) const {
    return op.id.value >= w_.machine().core.task.count || in_atomic(w_.machine());
  }
  template <class Op>
  bool operator()(const Op&) const {
    return false;
  }

 private:
  const HeldMap& held(MapRegister r) const { return w_.maps()[r.value]; }
  bool is(MapRegister r, HeldMap::Kind kind) const { return held(r).live && held(r).kind == kind; }
  bool touchable(const HeldMap& h) const { return h.live && !h.lost && w_.usable(h); }
  template <class Op>
  bool unmappable(const Op& op) const {
    return !w_.vacant(op.out) || !w_.frame(op.page, op.index);
  }
  const World& w_;
};

}  // namespace

bool would_skip(const World& w, const Operation& op) { return std::visit(Skips(w), op); }

}  // namespace props::kmap
