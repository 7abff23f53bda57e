// Plays one call on naive slots.
#include "props/kmap/model.hpp"

#include <fmt/format.h>

namespace props::kmap {

using ref::buddy::Address;

Model Model::of(const Machine& m) {
  Model model;
  model.base_ = m.mmu.window.pkmap_base;
  model.page_bytes_ = m.config.page_bytes;
  model.last_ = m.arena.at(m.kmap.globals, 0).last_pkmap_nr;
  model.slots_.resize(m.config.pkmap);
  for (std::uint32_t i = 0; i < model.slots_.size(); ++i) {
    Slot& slot = model.slots_[i];
    slot.count = ref::kmap::pkmap_count(m, i);
    const Address address = ref::kmap::pkmap_address(m, i);
    slot.page = ref::mmu::walk(m, address);
    // A page whose address is forgotten is another one to whoever asks.
    if (slot.page && ref::kmap::page_address(m, *slot.page) != address) slot.page.reset();
  }
  return model;
}

std::optional<std::size_t> Model::slot_of(Pfn pfn) const {
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].page == pfn) return i;
  return std::nullopt;
}

// M-5
void Model::flush() {
  for (Slot& slot : slots_)
    if (slot.count == 1) slot = {};
}

// M-4: one slot after the other, from the one behind the last; those without users become free when
// the search comes by slot 0. In vain after a whole round since it began, or since then.
std::optional<std::size_t> Model::search() {
  std::size_t looked_at = 0;
  while (looked_at < slots_.size()) {
    last_ = last_ + 1 == slots_.size() ? 0 : last_ + 1;
    if (last_ == 0) flush(), looked_at = 0;
    if (slots_[last_].count == 0) return last_;
    ++looked_at;
  }
  return std::nullopt;
}

// M-3
std::optional<Finding> Model::mapped(const Machine& after, Pfn pfn, std::optional<Address> answer) {
  std::optional<std::size_t> slot = slot_of(pfn);
  if (!slot) {
    slot = search();
    if (slot) slots_[*slot] = {1, pfn};
  }
  if (slot) ++slots_[*slot].count;
  std::optional<Address> expected;
  if (slot) expected = Address{base_ + *slot * page_bytes_};
  if (answer != expected) {
    const auto text = [](const std::optional<Address>& a) {
      return a ? fmt::format("{:#x}", static_cast<std::uint64_t>(*a)) : std::string("a wait");
    };
    return Finding{"KMAP-EXACT", text(expected), text(answer)};
  }
  return difference(after);
}

// M-6
std::optional<Finding> Model::unmapped(const Machine& after, Pfn pfn) {
  const std::optional<std::size_t> slot = slot_of(pfn);
  if (slot && slots_[*slot].count > 1) --slots_[*slot].count;
  return difference(after);
}

std::optional<Finding> Model::flushed(const Machine& after) {
  flush();
  return difference(after);
}

std::optional<Finding> Model::difference(const Machine& after) const {
  const Model now = of(after);
  if (now.last_ != last_)
    return Finding{"KMAP-ORDERED", fmt::format("the search stopped at slot {}", last_),
                   fmt::format("at slot {}", now.last_)};
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (now.slots_[i] == slots_[i]) continue;
    const auto text = [&](const Slot& s) {
      return fmt::format("slot {}: count {}, {}", i, s.count,
                         s.page ? fmt::format("pfn {}", *s.page) : std::string("no page"));
    };
    return Finding{"KMAP-ORDERED", text(slots_[i]), text(now.slots_[i])};
  }
  return std::nullopt;
}

// the fixmap grows downwards from one page below its top.
std::uint64_t Model::temporary_address(const ref::core::Config& c, std::uint32_t cpu,
                                       std::uint32_t nth) {
  const std::uint32_t of_a_cpu = c.profile().atomic_slots;
  const std::uint64_t top = (std::uint64_t{1} << 32) - c.page_bytes;
  return top - std::uint64_t{1 + nth + of_a_cpu * cpu} * c.page_bytes;
}

}  // namespace props::kmap
