// Runs an operation; those that take room in the window, and those of pages and contexts.
#include "props/vmalloc/runner.hpp"

#include <algorithm>

#include "props/vmalloc/contents.hpp"

namespace props::vmalloc {

using namespace ref::core;
using ref::buddy::Refused;
using Kind = Answer::Kind;
namespace vm = ref::vmalloc;

Answer Runner::run(const Operation& op) {
  const bool elsewhere =
      std::holds_alternative<SelectCpu>(op) || std::holds_alternative<SelectTask>(op);
  if (w_.suspended() && !elsewhere) return skipped();  // this CPU's task waits
  return std::visit([&](const auto& which) { return (*this)(which); }, op);
}

void Runner::own(Pfn pfn) {
  std::uint32_t& stamp = w_.contents_[pfn];
  if (!w_.judging_.stamps) return;
  stamp = ++w_.stamps_;
  const std::uint64_t ram = ref::buddy::ram_offset(m_, pfn);
  for (const StampedWord& word : stamp_of(stamp, page()))
    for (std::size_t i = 0; i < word.bytes.size(); ++i)
      m_.arena.edit(m_.ram, ram + word.offset + i) = word.bytes[i];
}

// Then a split of a free range may lack its object, and a purge may help instead (V-7).
bool Runner::memory_is_short() const {
  constexpr std::uint64_t plenty = 24;
  std::uint64_t free = 0;
  for (Index z = 0; z < m_.config.zone_count; ++z)
    if (const auto& zone = ref::buddy::zone_at(m_, z); zone.kind != ZoneKind::highmem)
      free += zone.free_pages;
  return free < plenty || m_.globals().fail_page_alloc != 0;
}

Answer Runner::told() const {
  const Fault fault = m_.globals().log.fault;
  return fault == Fault::none ? Answer{} : Answer{Kind::fault, 0, fault};
}

// --- allocating
// -----------------------------------------------------------------------------------

Runner::Want Runner::by_size(const Operation& op, std::uint64_t size, Gfp gfp) const {
  const bool zeros = (gfp & GFP_BIT_ZERO) != 0;
  return {.op = op,
          .kind = AreaKind::vmalloc,
          .size = size,
          .gfp = gfp,
          .owns_pages = true,
          .zeros = zeros};
}

Answer Runner::allocate(std::uint8_t out, const Want& want, const std::function<Got()>& call) {
  if (!vacant(AreaRegister{out}) || !w_.up()) return skipped();
  // What may not fail and cannot wait is beyond what anybody can answer.
  if ((want.gfp & GFP_BIT_NOFAIL) && in_atomic(m_)) return skipped();
  const std::uint64_t pages_before = vm::vmalloc_nr_pages(m_);
  const std::uint32_t busy_before = busy_ranges(m_);
  std::optional<Model> model;
  if (w_.judging_.model && !w_.inside_ && !w_.hidden_ && !memory_is_short()) model = Model::of(m_);
  const std::uint32_t lazy = vm::vmap_lazy_nr(m_);
  if (!w_.inside_) w_.busy_ = 1u << out;
  const Got got = call();
  if (!w_.inside_) w_.busy_ = 0;
  w_.reach_[ReachEvent::purged_for_room] += lazy > 0 && vm::vmap_lazy_nr(m_) == 0;
  if (w_.broken()) return {};
  w_.reach_[ReachEvent::injected] += m_.globals().injected != 0;
  if (!got) {
    judge_unchanged(pages_before, busy_before);
    if (w_.broken()) return {};
    return got.error() == Refused::suspended ? judge_suspended(want)
                                             : judge_refused(want, got.error());
  }
  const Answer answer = judge_granted(out, want, *got);
  const Area& area = w_.areas_[out];
  if (model && !w_.broken() && !w_.interleaved_ && area.live() && area.kind != AreaKind::kmalloc)
    if (const auto finding =
            model->granted(m_, area.first, room_of(want), vm::is_vmalloc_addr(m_, area.list)))
      w_.break_rule(*finding);
  return w_.broken() ? Answer{} : answer;
}

Answer Runner::operator()(const Vmalloc& op) {
  return allocate(op.out.value, by_size(op, op.size.value, gfp_of(m_.config.era, "GFP_KERNEL")),
                  [&] { return vm::vmalloc(w_, m_, op.size.value); });
}

Answer Runner::operator()(const Vzalloc& op) {
  const Gfp gfp = gfp_of(m_.config.era, "GFP_KERNEL") | GFP_BIT_ZERO;
  return allocate(op.out.value, by_size(op, op.size.value, gfp),
                  [&] { return vm::vzalloc(w_, m_, op.size.value); });
}

Answer Runner::operator()(const Vmalloc32& op) {
  Want want = by_size(op, op.size.value, gfp_of(m_.config.era, "GFP_KERNEL"));
  want.low = true;
  return allocate(op.out.value, want, [&] { return vm::vmalloc_32(w_, m_, op.size.value); });
}

Answer Runner::operator()(const VmallocUser& op) {
  Want want = by_size(op, op.size.value, gfp_of(m_.config.era, "GFP_KERNEL") | GFP_BIT_ZERO);
  want.flags = vm::VM_USERMAP;
  return allocate(op.out.value, want, [&] { return vm::vmalloc_user(w_, m_, op.size.value); });
}

Answer Runner::operator()(const VmallocGfp& op) {
  return allocate(op.out.value, by_size(op, op.size.value, op.gfp.value),
                  [&] { return vm::vmalloc_(w_, m_, op.size.value, op.gfp.value); });
}

Answer Runner::operator()(const VmallocNode& op) {
  if (op.node.value >= m_.config.nodes) return skipped();
  const auto node = static_cast<std::uint32_t>(op.node.value);
  return allocate(op.out.value, by_size(op, op.size.value, gfp_of(m_.config.era, "GFP_KERNEL")),
                  [&] { return vm::vmalloc_node(w_, m_, op.size.value, node); });
}

Answer Runner::operator()(const Kvmalloc& op) {
  Want want = by_size(op, op.size.value, op.gfp.value);
  want.may_be_kmalloc = true;
  return allocate(op.out.value, want,
                  [&] { return vm::kvmalloc(w_, m_, op.size.value, op.gfp.value); });
}

Answer Runner::operator()(const Kvzalloc& op) {
  Want want = by_size(op, op.size.value, op.gfp.value | GFP_BIT_ZERO);
  want.may_be_kmalloc = true;
  return allocate(op.out.value, want,
                  [&] { return vm::kvzalloc(w_, m_, op.size.value, op.gfp.value); });
}

// --- mapping
// ----------------------------------------------------------------------------------------

// The frames that registers hold from one on, in turn, again and again.
Runner::List Runner::list_of(PageRegister first, std::uint64_t count) const {
  List frames, list;
  for (std::size_t i = 0; i < w_.blocks_.size(); ++i) {
    const Block& b = w_.blocks_[(first.value + i) % w_.blocks_.size()];
    const std::uint64_t pages = b.live ? std::uint64_t{1} << b.order : 0;
    for (std::uint64_t p = 0; p < pages && frames.size() < count; ++p)
      frames.emplace_back(b.pfn + static_cast<Pfn>(p));
  }
  for (std::size_t i = 0; i < count && !frames.empty(); ++i)
    list.push_back(frames[i % frames.size()]);
  return list;
}

// Callers name what their kernel has.
std::uint32_t Runner::known_flags(const AreaFlags& flags) const {
  return flags_of(flags) & m_.profile().vm_flags_known;
}

Answer Runner::operator()(const Vmap& op) {
  List list = list_of(op.first, op.count.value);
  if (list.size() != op.count.value) return skipped();  // nobody holds a page
  Want want{.op = op,
            .kind = AreaKind::vmap,
            .size = list.size() * page(),
            .gfp = gfp_of(m_.config.era, "GFP_KERNEL")};
  for (const auto& pfn : list) want.pages.push_back(*pfn);
  if (op.hole.value > 0 && op.hole.value <= list.size()) {
    list[op.hole.value - 1].reset();
    want.impossible = true;
  }
  want.flags = known_flags(op.flags) & ~std::uint32_t{vm::VM_MAP_PUT_PAGES | vm::VM_NO_GUARD};
  const std::uint32_t asked = known_flags(op.flags) & ~std::uint32_t{vm::VM_MAP_PUT_PAGES};
  return allocate(op.out.value, want, [&] { return vm::vmap(w_, m_, list, asked); });
}

// Single pages only, each once: an area that puts them must have a reference of each.
Answer Runner::operator()(const VmapPutPages& op) {
  if (!(m_.profile().vm_flags_known & vm::VM_MAP_PUT_PAGES) || !vacant(op.out) || w_.inside_ ||
      in_atomic(m_) || !w_.up())
    return skipped();
  List list;
  std::vector<std::size_t> registers;
  Want want{.op = op,
            .kind = AreaKind::vmap,
            .gfp = gfp_of(m_.config.era, "GFP_KERNEL"),
            .flags = vm::VM_MAP | vm::VM_MAP_PUT_PAGES,
            .owns_pages = true};
  for (std::size_t r = op.first.value; r < w_.blocks_.size() && list.size() < op.count.value; ++r) {
    const Block& b = w_.blocks_[r];
    if (!b.live || b.order != 0) continue;
    list.emplace_back(b.pfn), want.pages.push_back(b.pfn), registers.push_back(r);
  }
  if (list.empty()) return skipped();
  want.size = list.size() * page();
  // From here on the register and the pages are in the call's hands: an interrupt, which may come
  // as soon as the list is asked for, takes neither.
  w_.busy_ = 1u << op.out.value;
  for (const std::size_t r : registers) w_.busy_blocks_ |= std::uint64_t{1} << r;
  const Answer answer = map_and_put(op, want, list);
  w_.busy_ = 0, w_.busy_blocks_ = 0;
  if (!w_.broken() && w_.areas_[op.out.value].live())
    for (const std::size_t r : registers) w_.blocks_[r].live = false;
  return answer;
}

// The list is the caller's until an area has it.
Answer Runner::map_and_put(const VmapPutPages& op, const Want& want, const List& list) {
  const Got array = ref::kmalloc::kmalloc(w_, m_, vm::page_array_bytes(m_, list.size()), want.gfp);
  if (w_.broken()) return {};
  if (!array) return array.error() == Refused::suspended ? wait(op) : Answer{Kind::refused};
  vm::write_page_array(m_, *array, list);
  const Answer answer =
      allocate(op.out.value, want, [&] { return vm::vmap(w_, m_, list, want.flags, *array); });
  if (!w_.broken() && !w_.areas_[op.out.value].live()) ref::kmalloc::kfree(w_, m_, *array);
  return answer;
}

Answer Runner::operator()(const VmapRam& op) {
  const List list = list_of(op.first, op.count.value);
  if (list.empty()) return skipped();
  Want want{.op = op,
            .kind = AreaKind::ram,
            .size = list.size() * page(),
            .gfp = gfp_of(m_.config.era, "GFP_KERNEL")};
  for (const auto& pfn : list) want.pages.push_back(*pfn);
  if (m_.profile().unmapping == Unmapping::lazy_purge && vacant(op.out) && w_.up())
    w_.hidden_ = true;  // a block may be made, and stay
  return allocate(op.out.value, want, [&] { return vm::vm_map_ram(w_, m_, list); });
}

Answer Runner::operator()(const Ioremap& op) {
  const std::uint64_t phys = op.phys.value, size = op.size.value, most = m_.profile().size_max;
  const bool wraps = size == 0 || phys > most || size - 1 > most - phys;
  Want want{.op = op,
            .kind = AreaKind::ioremap,
            .gfp = gfp_of(m_.config.era, "GFP_KERNEL"),
            .flags = vm::VM_IOREMAP,
            .impossible = wraps,
            .phys = phys};
  if (!wraps) {
    const std::uint64_t first = phys / page(), last = (phys + size - 1) / page();
    want.size = (last - first + 1) * page();
    want.impossible = last >= pfn_end || is_ram(m_.config, first, last);
    const Range& window = w_.ranges_.window();
    if (!want.impossible && want.size <= window.end - window.first)
      for (std::uint64_t pfn = first; pfn <= last; ++pfn)
        want.pages.push_back(static_cast<Pfn>(pfn));
  }
  return allocate(op.out.value, want, [&] { return vm::ioremap(w_, m_, phys, size); });
}

Answer Runner::operator()(const GetVmArea& op) {
  const std::uint32_t flags = known_flags(op.flags);
  const Want want{.op = op,
                  .kind = AreaKind::reserved,
                  .size = op.size.value,
                  .gfp = gfp_of(m_.config.era, "GFP_KERNEL"),
                  .flags = flags};
  return allocate(op.out.value, want,
                  [&] { return vm::get_vm_area(w_, m_, op.size.value, flags); });
}

// --- pages of somebody
// ------------------------------------------------------------------------------

Answer Runner::operator()(const AllocPages& op) {
  Block& block = w_.blocks_[op.out.value];
  const std::uint64_t bit = std::uint64_t{1} << op.out.value;
  if (block.live || (w_.inside_ && (w_.busy_blocks_ & bit) != 0)) return skipped();
  if (!w_.inside_) w_.busy_blocks_ = bit;
  const auto order = static_cast<unsigned>(op.order.value);
  const auto got = ref::buddy::alloc_pages(w_, m_, op.gfp.value & ~Gfp{GFP_BIT_COMP}, order);
  if (!w_.inside_) w_.busy_blocks_ = 0;
  if (w_.broken()) return {};
  const Fault fault = m_.globals().log.fault;
  if (!got && got.error() == Refused::suspended) return wait(op);
  if (!got) return fault == Fault::none ? Answer{Kind::refused} : Answer{Kind::fault, 0, fault};
  block = {true, static_cast<std::uint8_t>(order), *got};
  for (Pfn pfn = *got; pfn - *got < (Pfn{1} << order); ++pfn) {
    if (w_.owned(pfn)) w_.break_rule("VMALLOC-PAGES", "pages that nobody has", "a page of an area");
    if (w_.broken()) return {};
    own(pfn);
  }
  return fault == Fault::none ? Answer{Kind::pfn, *got} : Answer{Kind::fault, 0, fault};
}

Answer Runner::operator()(const FreePages& op) {
  Block* block = live(op.page);
  if (block == nullptr) return skipped();
  for (Pfn pfn = block->pfn; pfn - block->pfn < (Pfn{1} << block->order); ++pfn) {
    if (!w_.check_frame(pfn, ", of a block that is freed")) return {};
    w_.contents_.erase(pfn);
  }
  block->live = false;
  ref::buddy::free_pages_(w_, m_, block->pfn, block->order);
  return told();
}

Answer Runner::operator()(const DrainAllPages&) {
  ref::buddy::drain_all_pages(w_, m_);
  return told();
}

// --- context and settings
// ---------------------------------------------------------------------------

// The machine keeps nothing of the wait: the whole call is made again.
Answer Runner::wait(const Operation& op) {
  ++w_.reach_[ReachEvent::suspended];
  m_.arena.edit(m_.core.task, m_.cpu().task).wait = {};
  w_.pending_[m_.cpu().task] = op;
  return {Kind::suspended};
}

Answer Runner::operator()(const SelectTask& op) {
  if (op.id.value >= m_.core.task.count) return skipped();
  if (!ref::kmap::switch_task(m_, static_cast<std::uint32_t>(op.id.value))) return skipped();
  if (!w_.suspended() || w_.inside_) return {};
  const Operation again = *w_.pending_[op.id.value];
  w_.pending_[op.id.value].reset();
  ++w_.reach_[ReachEvent::resumed];
  // Its register may be taken by now; the task was selected all the same.
  const Answer answer = run(again);
  return answer.kind == Kind::skipped ? Answer{} : answer;
}

Answer Runner::operator()(const SelectCpu& op) {
  if (op.id.value >= m_.config.cpus) return skipped();
  select_cpu(m_, static_cast<std::uint32_t>(op.id.value));
  return {};
}

template <ContextMove move, std::uint8_t code>
Answer Runner::operator()(const MoveContext<move, code>&) {
  return move_context(m_, move) ? Answer{} : skipped();
}

Answer Runner::operator()(const SetTaskFlags& op) {
  set_task_flags(m_, op.flags.value);
  return {};
}

Answer Runner::operator()(const FailPageAlloc& op) {
  plan_failure(m_, static_cast<std::uint32_t>(op.nth.value));
  return {};
}

}  // namespace props::vmalloc
