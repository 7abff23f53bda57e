// Predicts by going through the records of every page of the window.
#include "props/vmalloc/model.hpp"

#include <fmt/format.h>

#include "props/vmalloc/sheet.hpp"

namespace props::vmalloc {

using ref::vmalloc::Machine;
using ref::vmalloc::RangeSet;

Model Model::of(const Machine& m) {
  const auto& window = m.mmu.window;
  const std::uint64_t page = m.config.page_bytes;
  Model model;
  model.busy_ = model.busy_or_lazy_ = Ranges(Range{window.vmalloc_start, window.vmalloc_end});
  for (std::uint64_t p = 0; p < m.vmalloc.range.count; ++p) {
    const auto& r = m.arena.at(m.vmalloc.range, p);
    if (r.set != RangeSet::busy && r.set != RangeSet::lazy) continue;
    const std::uint64_t first = window.vmalloc_start + p * page;
    const Range taken{first, first + r.pages * page};
    model.busy_or_lazy_.take(taken);
    if (r.set == RangeSet::busy) model.busy_.take(taken);
    else model.lazy_pages_ += r.pages;
  }
  model.drain_pending_ = ref::vmalloc::drain_work_pending(m);
  return model;
}

std::optional<Finding> Model::granted(const Machine& m, std::uint64_t first, const Room& room,
                                      bool with_list) const {
  const bool purges = !busy_or_lazy_.fits(room);
  const std::uint64_t wanted = purges ? busy_.lowest(room) : busy_or_lazy_.lowest(room);
  if (first != wanted)
    return Finding{"VMALLOC-LOWEST", fmt::format("{:#x}, the lowest that fits", wanted),
                   fmt::format("{:#x}", first)};
  const std::uint64_t lazy = ref::vmalloc::vmap_lazy_nr(m);
  if (purges ? lazy == 0 : lazy >= lazy_pages_ || with_list) return std::nullopt;
  return Finding{"VMALLOC-PURGED",
                 fmt::format("{} lazy pages: there was {}", purges ? 0 : lazy_pages_,
                             purges ? "no other room" : "room without a purge"),
                 fmt::format("{}", lazy)};
}

std::optional<Finding> Model::released(const Machine& m, std::uint64_t pages) const {
  const bool lazily = m.config.profile().unmapping == ref::core::Unmapping::lazy_purge;
  const std::uint64_t wanted = lazily ? lazy_pages_ + pages : 0;
  if (const std::uint64_t lazy = ref::vmalloc::vmap_lazy_nr(m); lazy != wanted)
    return Finding{"VMALLOC-LAZY", fmt::format("{} lazy pages", wanted), fmt::format("{}", lazy)};
  const bool due = drain_pending_ || wanted > lazy_max(m.config);
  if (ref::vmalloc::drain_work_pending(m) == due) return std::nullopt;
  return Finding{"VMALLOC-THRESHOLD",
                 fmt::format("drain work {}scheduled at {} lazy pages of at most {}",
                             due ? "" : "not ", wanted, lazy_max(m.config)),
                 due ? "not scheduled" : "scheduled"};
}

}  // namespace props::vmalloc
