// Restates the conditions under which the runner skips.
#include "props/buddy/prospects.hpp"

#include <algorithm>

namespace props::buddy {
namespace {

using namespace ref::core;

// Exact blocks are given back by a call of their own, and only looked at by these.
template <class Op>
constexpr bool takes_exact() {
  return std::is_same_v<Op, PageAddress> || std::is_same_v<Op, Touch> ||
         std::is_same_v<Op, PageCount>;
}

class Prospect {
 public:
  explicit Prospect(const World& w) : w_(w), config_(w.machine().config) {}

  bool skips(const AllocPagesBulk& op) const {
    return std::uint64_t{op.first.value} + op.count.value > PageRegister::count;
  }
  bool skips(const SplitPage& op) const {
    const Block& b = block(op.page);
    if (!b.live || b.exact) return true;
    const std::size_t first = op.first.value, tails = b.compound ? 0 : b.pages - 1;
    if (tails > 0 && first + tails > PageRegister::count) return true;
    return std::ranges::any_of(w_.blocks().subspan(first, tails), &Block::live);
  }
  bool skips(const FreePagesExact& op) const {
    return !block(op.page).live || !block(op.page).exact;
  }
  bool skips(const FreeStale& op) const { return block(op.page).live || block(op.page).pages == 0; }
  bool skips(const ScribblePageFlags& op) const {
    const auto pfn = static_cast<Pfn>(op.pfn.value);
    const auto owns = [&](const Block& b) { return b.live && pfn - b.pfn < b.pages; };
    return !w_.oracle().zone_of(pfn) || config_.is_reserved(pfn) ||
           std::ranges::any_of(w_.blocks(), owns);
  }
  bool skips(const SelectCpu& op) const { return op.id.value >= config_.cpus; }
  bool skips(const SelectTask& op) const {
    const auto& m = w_.machine();
    if (op.id.value >= m.core.task.count) return true;
    if (m.cpu().task == op.id.value) return false;
    if (in_atomic(m)) return true;
    for (std::uint32_t cpu = 0; cpu < config_.cpus; ++cpu)
      if (m.arena.at(m.core.cpu, cpu).task == op.id.value) return true;
    return false;
  }
  bool skips(const SetLowmemReserveRatio& op) const { return op.zone.kind == ZoneKind::highmem; }
  template <ContextMove move, std::uint8_t code>
  bool skips(const MoveContext<move, code>&) const {
    const Cpu& c = w_.machine().cpu();
    switch (move) {
      case ContextMove::preempt_enable: return c.preempt_count == 0;
      case ContextMove::local_irq_enable: return c.irqs_off == 0;
      case ContextMove::local_bh_enable: return c.bh_off == 0;
      case ContextMove::softirq_exit: return c.softirq_count == 0;
      case ContextMove::irq_exit: return c.hardirq_count == 0;
      default: return false;
    }
  }
  // By what its fields say: a result must be empty, an operand full, a frame inside its block.
  template <class Op>
  bool skips(const Op& op) const {
    if constexpr (requires { op.out; }) {
      return w_.taken() >> op.out.value & 1u;
    } else if constexpr (requires { op.page; }) {
      const Block& b = block(op.page);
      if (!b.live || (b.exact && !takes_exact<Op>())) return true;
      if constexpr (requires { op.index; }) return op.index.value >= b.pages;
    }
    return false;
  }

 private:
  const Block& block(PageRegister r) const { return w_.blocks()[r.value]; }
  const World& w_;
  const Config& config_;
};

}  // namespace

bool would_skip(const World& w, const Operation& op) {
  const bool elsewhere =
      std::holds_alternative<SelectCpu>(op) || std::holds_alternative<SelectTask>(op);
  if (w.waiting() > 0 && w.suspended() && !elsewhere) return true;
  return std::visit([&](const auto& which) { return Prospect(w).skips(which); }, op);
}

}  // namespace props::buddy
