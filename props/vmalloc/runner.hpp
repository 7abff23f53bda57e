// runner: runs one operation on a world, and judges its answer.
#pragma once
#include <functional>

#include "props/vmalloc/model.hpp"
#include "props/vmalloc/sheet.hpp"
#include "props/vmalloc/world.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {

class Runner {
 public:
  explicit Runner(World& world) : w_(world), m_(world.machine_) {}
  Answer run(const Operation&);

 private:
  // One overload for each kind of operation.
  Answer operator()(const Vmalloc&);
  Answer operator()(const Vzalloc&);
  Answer operator()(const Vmalloc32&);
  Answer operator()(const VmallocUser&);
  Answer operator()(const VmallocGfp&);
  Answer operator()(const VmallocNode&);
  Answer operator()(const Kvmalloc&);
  Answer operator()(const Kvzalloc&);
  Answer operator()(const Vmap&);
  Answer operator()(const VmapPutPages&);
  Answer operator()(const VmapRam&);
  Answer operator()(const Ioremap&);
  Answer operator()(const GetVmArea&);
  Answer operator()(const Vfree&);
  Answer operator()(const VfreeAtomic&);
  Answer operator()(const Vunmap&);
  Answer operator()(const Iounmap&);
  Answer operator()(const FreeVmArea&);
  Answer operator()(const RemoveVmArea&);
  Answer operator()(const Kvfree&);
  Answer operator()(const UnmapRam&);
  Answer operator()(const TouchArea&);
  Answer operator()(const VmallocToPage&);
  Answer operator()(const LoadArea&);
  Answer operator()(const StoreArea&);
  Answer operator()(const RemapRange&);
  Answer operator()(const Vread&);
  Answer operator()(const VfreeStale&);
  Answer operator()(const VunmapStale&);
  Answer operator()(const LoadStale&);
  Answer operator()(const VfreeInside&);
  Answer operator()(const VfreeAt&);
  Answer operator()(const Prefetch&);
  Answer operator()(const VmUnmapAliases&);
  Answer operator()(const RunWork&);
  Answer operator()(const ReadVmallocinfo&);
  Answer operator()(const AllocPages&);
  Answer operator()(const FreePages&);
  Answer operator()(const DrainAllPages&);
  Answer operator()(const SelectCpu&);
  Answer operator()(const SelectTask&);
  Answer operator()(const SetTaskFlags&);
  Answer operator()(const FailPageAlloc&);
  template <ref::core::ContextMove move, std::uint8_t code>
  Answer operator()(const MoveContext<move, code>&);

  using Got = ref::vmalloc::Answer<Address>;
  using Fault = ref::core::Fault;
  using Effect = ref::core::Effect;
  using List = std::vector<std::optional<Pfn>>;

  // What a call asks for, as far as its answer is judged.
  struct Want {
    Operation op;  // to be made again if it must wait
    AreaKind kind;
    std::uint64_t size = 0;  // bytes as asked
    Gfp gfp = 0;
    std::uint32_t flags = 0;
    bool owns_pages = false, zeros = false;
    bool impossible = false;  // whatever the state: a page of the list is NULL, RAM is no device
    bool low = false;         // pages that 32 bits address
    bool may_be_kmalloc = false;
    std::vector<Pfn> pages{};  // that must be behind it, where the caller says which
    std::uint64_t phys = 0;    // of ioremap
  };
  Want by_size(const Operation&, std::uint64_t size, Gfp) const;
  Answer allocate(std::uint8_t out, const Want&, const std::function<Got()>& call);
  Answer map_and_put(const VmapPutPages&, const Want&, const List&);
  bool memory_is_short() const;
  std::uint32_t known_flags(const AreaFlags&) const;
  List list_of(PageRegister first, std::uint64_t count) const;

  // runner_judge.cpp
  std::uint64_t mapped_bytes(const Want&) const;
  std::uint64_t guard_of(const Want&) const;
  Room room_of(const Want&) const;
  bool never_served(const Want&) const;
  bool refused_at_once(const Want&) const;
  Answer judge_refused(const Want&, ref::vmalloc::Refused);
  Answer judge_suspended(const Want&);
  void judge_unchanged(std::uint64_t nr_pages, std::uint32_t busy);
  void probe(const Want&);
  bool memory_on_a_copy(const Want&);
  Answer judge_granted(std::uint8_t out, const Want&, Address);
  Answer judge_kmalloc(std::uint8_t out, const Want&, Address);
  void check_kmalloc(const Area&);
  bool judge_pages(const Want&, Area&);
  bool judge_frame(const Want&, const Area&, Pfn);
  bool judge_zeros(const Want&, const Area&);
  bool judge_call_fault(const Want&, bool refused);

  // runner_free.cpp
  enum class Way : std::uint8_t { vfree, atomic, kvfree, vunmap, iounmap, remove, free_vm_area };
  Answer give_back(AreaRegister, Way);
  void call(Way, Address);
  Answer judge_gone(Area&, Way);
  void judge_pages_of(Area&, bool freed);
  bool flushes(const Area&, Way) const;
  void judge_unmapped(const Area&, Way);
  std::uint64_t list_pages(const Area&) const;
  void release(Area&);
  Answer free_of_nobody(Address, void (*free)(ref::core::Env&, Machine&, Address));
  Answer expect_fault(std::initializer_list<Fault> may);
  Answer told() const;  // the fault in the log, or ok

  // runner_access.cpp
  bool frozen(Pfn) const;
  void touch(Area&);
  bool load_frame(const Area&, std::uint64_t page);
  std::optional<std::byte> load_byte(std::uint64_t at);

  void own(Pfn);
  bool busy(std::uint8_t reg) const { return w_.inside_ && (w_.busy_ >> reg & 1u) != 0; }
  Area* live(AreaRegister r) {
    return w_.areas_[r.value].live() && !busy(r.value) ? &w_.areas_[r.value] : nullptr;
  }
  Area* gone(AreaRegister r) {
    Area& a = w_.areas_[r.value];
    return a.state == Area::State::stale && a.kind != AreaKind::kmalloc && !busy(r.value) ? &a
                                                                                          : nullptr;
  }
  Block* live(PageRegister r) {
    const bool is_busy = w_.inside_ && (w_.busy_blocks_ >> r.value & 1u) != 0;
    return w_.blocks_[r.value].live && !is_busy ? &w_.blocks_[r.value] : nullptr;
  }
  bool vacant(AreaRegister r) const {
    const Area::State s = w_.areas_[r.value].state;
    return (s == Area::State::empty || s == Area::State::stale) && !busy(r.value);
  }
  std::uint64_t page() const { return m_.config.page_bytes; }
  Answer wait(const Operation&);
  Answer skipped() const { return {Answer::Kind::skipped}; }

  World& w_;
  Machine& m_;
};

}  // namespace props::vmalloc
