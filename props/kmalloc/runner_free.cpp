// The operations that give back or look, and misuse.
#include <fmt/format.h>

#include "props/kmalloc/runner.hpp"

namespace props::kmalloc {

using namespace ref::core;
using ref::buddy::Refused;
using Kind = Answer::Kind;

namespace {

std::string fault_text(Fault f, Effect e) {
  if (f == Fault::none) return "no fault";
  return fmt::format("{}, effect {}", fault_names[static_cast<std::size_t>(f)],
                     effect_names[static_cast<std::size_t>(e)]);
}

}  // namespace

// --- faults -------------------------------------------------------------------------------------

Answer Runner::expect_fault(Fault fault, Effect effect) {
  const Log& log = m_.globals().log;
  ++w_.reach_.faults[static_cast<std::size_t>(log.fault)];
  if (log.fault != Fault::none) ++w_.reach_.effects[static_cast<std::size_t>(log.effect)];
  if (log.fault != fault || (fault != Fault::none && log.effect != effect)) {
    const bool sleeps =
        fault == Fault::sleeping_in_atomic || log.fault == Fault::sleeping_in_atomic;
    w_.break_rule(sleeps ? "KMALLOC-SLEEP" : "KMALLOC-MISUSE", fault_text(fault, effect),
                  fault_text(log.fault, log.effect));
    return {};
  }
  if (fault == Fault::none) return {};
  return {Kind::fault, 0, fault};
}

// Nobody's address: free already, or never an object; which of them is the allocator's to know.
Answer Runner::expect_misuse() {
  const Fault fault = m_.globals().log.fault;
  return expect_fault(fault == Fault::not_an_object ? fault : Fault::double_free, Effect::none);
}

// --- who has what -------------------------------------------------------------------------------

std::optional<std::uint8_t> Runner::owner_of(Address address) const {
  for (std::size_t r = 0; r < w_.memory_.size(); ++r)
    if (w_.memory_[r].meets(static_cast<std::uint64_t>(address), 1))
      return static_cast<std::uint8_t>(r);
  return std::nullopt;
}

bool Runner::in_blocks(Address address) const {
  const auto pfn = ref::buddy::virt_to_pfn(m_, address);
  if (!pfn) return false;
  for (const Block& b : w_.blocks_)
    if (b.live && *pfn - b.pfn < (Pfn{1} << b.order)) return true;
  return false;
}

// An object that the allocator keeps for itself: freeing it is beyond what anybody can answer.
bool Runner::is_internal(Address address) const {
  const auto object = ref::slab::object_at(m_, address);
  return object && object->live && !owner_of(address);
}

// --- giving back --------------------------------------------------------------------------------

Answer Runner::give_back(std::uint8_t reg, bool sensitive) {
  const Memory held = w_.memory_[reg];
  if (!w_.check_content(held)) return {};
  drop(reg);
  if (sensitive) ref::kmalloc::kfree_sensitive(w_, m_, held.address);
  else ref::kmalloc::kfree(w_, m_, held.address);
  if (w_.broken()) return {};
  const Answer answer = expect_fault(Fault::none, Effect::none);
  if (sensitive && held.stamp != 0 && !w_.interleaved_ &&
      slab::contents_remain(m_, held.ram, held.owned, held.stamp, w_.judging_.stamps))
    w_.break_rule("KMALLOC-SENSITIVE", "nothing of what was there", "some of it");
  return answer;
}

Answer Runner::operator()(const Kfree& op) {
  return live(op.object) == nullptr ? skipped() : give_back(op.object.value, false);
}

Answer Runner::operator()(const KfreeSensitive& op) {
  return live(op.object) == nullptr ? skipped() : give_back(op.object.value, true);
}

Answer Runner::operator()(const KfreeBulk& op) {
  std::vector<Address> all;
  for (std::uint64_t i = 0; i < op.count.value; ++i) {
    const std::uint64_t r = op.first.value + i;
    if (r >= ObjectRegister::count) break;
    const Memory* held = live(ObjectRegister{static_cast<std::uint8_t>(r)});
    if (held == nullptr || held->nothing) continue;  // that call does not know NULL and its like
    if (!w_.check_content(*held)) return {};
    all.push_back(held->address);
    drop(static_cast<std::uint8_t>(r));
  }
  if (all.empty()) return skipped();
  ref::kmalloc::kfree_bulk(w_, m_, all);
  if (w_.broken()) return {};
  return expect_fault(Fault::none, Effect::none);
}

// --- looking ------------------------------------------------------------------------------------

Answer Runner::operator()(const Ksize& op) {
  Memory* held = live(op.object);
  if (held == nullptr) return skipped();
  const std::uint64_t usable = ref::kmalloc::ksize(m_, held->address);
  const Answer answer = expect_fault(Fault::none, Effect::none);
  if (usable != held->usable)
    w_.break_rule("KMALLOC-ROOM", fmt::format("{} usable bytes, as before", held->usable),
                  fmt::format("{}", usable));
  if (w_.broken() || !w_.check_content(*held)) return answer;
  held->owned = usable;
  stamp(*held);
  return {Kind::count, usable};
}

Answer Runner::operator()(const WriteObject& op) {
  Memory* held = live(op.object);
  if (held == nullptr) return skipped();
  if (w_.check_content(*held)) stamp(*held);
  return {};
}

Answer Runner::operator()(const KmallocSizeRoundup& op) {
  const std::uint64_t size = op.size.value, most = m_.profile().size_max;
  const std::uint64_t got = ref::kmalloc::kmalloc_size_roundup(m_, size);
  const bool fixed = size == 0 || size == most;
  // Half of all numbers and more round up to one that no number holds.
  if (fixed ? got != size : got < size && size <= most / 2)
    w_.break_rule("KMALLOC-ROUNDUP", fmt::format("{}{}", size, fixed ? "" : " or more"),
                  fmt::format("{}", got));
  return {Kind::count, got};
}

// --- misuse -------------------------------------------------------------------------------------

// An address within somebody's memory. 6.1 takes any address of large memory for all of it.
Answer Runner::free_inside(std::uint8_t reg, Address address) {
  const Memory held = w_.memory_[reg];
  if (address == held.address) return give_back(reg, false);
  if (!w_.check_content(held)) return {};
  const bool all_goes =
      m_.profile().kfree_frees_pages && held.usable > ref::slab::general_sizes(m_.config).back();
  if (all_goes) drop(reg);
  ref::kmalloc::kfree(w_, m_, address);
  if (w_.broken()) return {};
  return expect_fault(Fault::not_an_object, all_goes ? Effect::freed : Effect::none);
}

Answer Runner::operator()(const KfreeInside& op) {
  const Memory* held = live(op.object);
  if (held == nullptr || held->nothing || held->size == 0) return skipped();
  const std::uint64_t offset = op.offset.value % held->size;
  return free_inside(op.object.value, Address{static_cast<std::uint64_t>(held->address) + offset});
}

Answer Runner::operator()(const KfreeStale& op) {
  const Memory& gone = w_.memory_[op.object.value];
  if (gone.live || gone.nothing || gone.address == Address::null || w_.inside_ || !up())
    return skipped();
  const Address address = gone.address;
  if (const auto owner = owner_of(address)) return free_inside(*owner, address);
  if (in_blocks(address)) return skipped();
  if (is_internal(address)) {
    ++w_.reach_[ReachEvent::internal];
    return skipped();
  }
  ref::kmalloc::kfree(w_, m_, address);
  return w_.broken() ? Answer{} : expect_misuse();
}

Answer Runner::operator()(const KreallocStale& op) {
  const Memory& gone = w_.memory_[op.object.value];
  if (gone.live || gone.nothing || gone.address == Address::null || w_.inside_ || !up())
    return skipped();
  if (owner_of(gone.address) || in_blocks(gone.address) || is_internal(gone.address))
    return skipped();
  const auto got = ref::kmalloc::krealloc(w_, m_, gone.address, op.size.value, op.gfp.value);
  if (w_.broken()) return {};
  if (got || got.error() != Refused::misuse)
    w_.break_rule("KMALLOC-MISUSE", "refused: nobody has this memory",
                  got ? address_text(*got) : "something else");
  return w_.broken() ? Answer{} : expect_misuse();
}

Answer Runner::operator()(const KfreePage& op) {
  Block* block = live(op.page);
  if (block == nullptr || (block->order > 0 && !block->compound)) return skipped();
  const auto address = ref::buddy::page_address(m_, block->pfn);
  if (!address) return skipped();
  if (!w_.check_content(*block)) return {};
  const bool goes = m_.profile().kfree_frees_pages;
  if (goes) {
    block->live = false;
    w_.live_blocks_ &= ~(std::uint64_t{1} << op.page.value);
  }
  const bool right = goes && block->compound;
  ref::kmalloc::kfree(w_, m_, *address);
  if (w_.broken()) return {};
  return expect_fault(right ? Fault::none : Fault::not_an_object,
                      goes ? Effect::freed : Effect::none);
}

Answer Runner::operator()(const KfreeAt& op) {
  const std::uint64_t nothing =
      m_.profile().zero_size_ptr ? static_cast<std::uint64_t>(ref::kmalloc::zero_size_ptr) : 0;
  ref::kmalloc::kfree(w_, m_, Address{op.address.value});
  if (w_.broken()) return {};
  return expect_fault(op.address.value <= nothing ? Fault::none : Fault::not_an_object,
                      Effect::none);
}

}  // namespace props::kmalloc
