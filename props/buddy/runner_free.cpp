// The operations that give back, and those on references and on whole blocks.
#include <fmt/format.h>

#include "props/buddy/runner.hpp"

namespace props::buddy {

using namespace ref::core;
using Kind = Answer::Kind;

void Runner::call_free(Pfn pfn, unsigned order, How how) {
  switch (how) {
    case How::page: return ref::buddy::free_pages_(w_, m_, pfn, order);
    case How::cold: return ref::buddy::free_cold_page(w_, m_, pfn);
    case How::address: {
      const auto address = ref::buddy::page_address(m_, pfn);
      if (!address) return;
      return order == 0 ? ref::buddy::free_page(w_, m_, *address)
                        : ref::buddy::free_pages(w_, m_, *address, order);
    }
  }
}

// Tells the oracle, and what to look at after the step.
void Runner::unowned(Pfn pfn, unsigned order) {
  w_.oracle_.released(pfn, order);
  touch(pfn);
}

// Pages that the allocator has again: the oracle is told here, the model by tell_model. Where a
// call frees several parts, an armed step may already get the first of them, so the oracle hears of
// all before the call.
void Runner::released(Pfn pfn, unsigned order, bool cold) {
  unowned(pfn, order);
  tell_model(pfn, order, cold);
}

void Runner::tell_model(Pfn pfn, unsigned order, bool cold) {
  if (w_.model_ && !w_.model_stale_ && !w_.interleaved_)
    w_.model_->free_block(caller_of(m_), pfn, order, cold);
}

// The last reference goes: the block is nobody's, unless it was bad.
Answer Runner::drop_last(Block& b, unsigned order, How how) {
  const bool bad = (b.flags & ref::buddy::page_flags_check_at_free) != 0 || b.mapcount != 0;
  const bool lost = bad && m_.profile().bad_page == BadPage::leaked;
  const Pfn pfn = b.pfn;
  set_live(b, false);
  const Before before = w_.judging_.reach ? before_free(pfn, order) : Before{};
  call_free(pfn, order, how);
  if (w_.broken()) return {};
  if (w_.judging_.reach && !bad) count_free(pfn, order, before);
  if (lost) w_.model_stale_ = true;
  else released(pfn, order, how == How::cold);
  return expect_fault(bad ? Fault::bad_page : Fault::none, lost ? Effect::leaked : Effect::freed);
}

Answer Runner::give_back_wrong_order(Block& b, unsigned order, How how) {
  if (b.references > 1 || b.compound) {  // nothing happens to it
    call_free(b.pfn, order, how);
    return expect_fault(Fault::wrong_order, Effect::none);
  }
  const Block was = b;
  set_live(b, false);
  call_free(was.pfn, order, how);
  w_.model_stale_ = true;
  if (w_.broken()) return {};
  const bool bad = (was.flags & ref::buddy::page_flags_check_at_free) != 0 || was.mapcount != 0;
  const bool lost = bad && m_.profile().bad_page == BadPage::leaked;
  if (order < was.order && !lost) unowned(was.pfn, order);  // the rest is lost
  return expect_fault(Fault::wrong_order, Effect::leaked);
}

Answer Runner::give_back_owned(Block& b, unsigned order, How how) {
  if (!w_.check_content(b)) return {};
  if (order != b.order) return give_back_wrong_order(b, order, how);
  if (b.references == 1) return drop_last(b, order, how);
  // B-33: somebody still holds the first page; the others of a block that is not compound go now.
  --b.references;
  ++w_.reach_[ReachEvent::shared_free];
  const Pfn pfn = b.pfn;
  const unsigned parts = b.compound ? 0 : order;
  if (parts > 0) { b.order = 0, b.pages = 1, b.stamp = 0; }
  for (unsigned o = parts; o-- > 0;) unowned(pfn + (Pfn{1} << o), o);
  call_free(pfn, order, how);
  if (w_.broken()) return {};
  for (unsigned o = parts; o-- > 0;) tell_model(pfn + (Pfn{1} << o), o, false);
  // An interrupt may have given the first page back as well, and somebody may own it by now.
  if (parts > 0 && b.live && b.pfn == pfn && b.stamp == 0) stamp(b);
  return expect_fault(Fault::none, Effect::none);
}

// A live block by its first frame.
Answer Runner::give_back_block(Block& b, unsigned order, How how) {
  if (b.exact) return skipped();                             // free_pages_exact is for those
  if (how == How::address && !address_of(b.pfn)) return {};  // free_pages(0), as below
  return give_back_owned(b, order, how);
}

// Any frame, any order: what is right about it is decided here, by the registers alone.
Answer Runner::give_back(Pfn pfn, unsigned order, How how) {
  if (how == How::address && !address_of(pfn)) return {};  // free_pages(0): nothing happens (B-27)
  // Meanwhile an interrupt can take no page of it for free, and none for owned.
  if (w_.inside_ && pfn - w_.leaving_first_ < w_.leaving_pages_) return skipped();
  Block* owner = owner_of(pfn);
  if (owner != nullptr && owner->pfn == pfn) return give_back_block(*owner, order, how);
  if (owner != nullptr && owner->exact) return skipped();  // free_pages_exact is for those
  Fault fault = Fault::double_free;
  if (!w_.oracle_.zone_of(pfn)) fault = Fault::no_such_page;
  else if (m_.config.is_reserved(pfn)) fault = Fault::free_of_reserved;
  else if (owner != nullptr) fault = Fault::free_of_tail;
  call_free(pfn, order, how);
  return expect_fault(fault, Effect::none);
}

Answer Runner::operator()(const FreePagesByPage& op) {
  Block* b = live(op.page);
  if (b == nullptr) return skipped();
  return give_back_block(*b, static_cast<unsigned>(op.order.value), How::page);
}

Answer Runner::operator()(const FreePageByPage& op) {
  Block* b = live(op.page);
  if (b == nullptr) return skipped();
  return give_back_block(*b, 0, How::page);
}

Answer Runner::operator()(const FreePages& op) {
  Block* b = live(op.page);
  if (b == nullptr) return skipped();
  return give_back_block(*b, b->order, address_of(b->pfn) ? How::address : How::page);
}

Answer Runner::operator()(const FreePage& op) {
  Block* b = live(op.page);
  if (b == nullptr) return skipped();
  return give_back_block(*b, 0, How::address);
}

Answer Runner::operator()(const FreeColdPage& op) {
  Block* b = live(op.page);
  if (b == nullptr) return skipped();
  return give_back_block(*b, 0, How::cold);
}

Answer Runner::operator()(const FreePagesExact& op) {
  Block* b = live(op.page);
  if (b == nullptr || !b->exact) return skipped();
  if (!w_.check_content(*b)) return {};
  set_live(*b, false);
  const Block was = *b;
  for (Pfn i = 0; i < was.pages; ++i) unowned(was.pfn + i, 0);
  w_.leaving_first_ = was.pfn, w_.leaving_pages_ = was.pages;
  ref::buddy::free_pages_exact(w_, m_, *ref::buddy::page_address(m_, was.pfn), was.bytes);
  w_.leaving_pages_ = 0;
  if (w_.broken()) return {};
  for (Pfn i = 0; i < was.pages; ++i) tell_model(was.pfn + i, 0, false);
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const FreeStale& op) {
  const Block& b = w_.blocks_[op.page.value];
  if (b.live || b.pages == 0) return skipped();
  return give_back(b.pfn, b.exact ? 0 : b.order, How::page);
}

Answer Runner::operator()(const FreeTail& op) {
  const Block* b = live(op.page);
  if (b == nullptr || b->exact || op.index.value >= b->pages) return skipped();
  return give_back(b->pfn + static_cast<Pfn>(op.index.value), 0, How::page);
}

Answer Runner::operator()(const FreeAt& op) {
  return give_back(static_cast<Pfn>(op.pfn.value), static_cast<unsigned>(op.order.value),
                   How::page);
}

Answer Runner::operator()(const FreePagesNull&) {
  ref::buddy::free_pages(w_, m_, ref::buddy::Address::null, 0);
  return expect_fault(Fault::none, Effect::none);
}

// --- references and blocks --------------------------------------------------------------------

Answer Runner::operator()(const GetPage& op) {
  Block* b = live(op.page);
  if (b == nullptr || b->exact || op.index.value >= b->pages || b->references > 1000)
    return skipped();
  const bool counted = op.index.value == 0 || b->compound;
  ref::buddy::get_page(m_, b->pfn + static_cast<Pfn>(op.index.value));
  b->references += counted;
  return expect_fault(counted ? Fault::none : Fault::unreferenced, Effect::none);
}

Answer Runner::operator()(const PutPage& op) {
  Block* b = live(op.page);
  if (b == nullptr || b->exact || op.index.value >= b->pages) return skipped();
  const Pfn pfn = b->pfn + static_cast<Pfn>(op.index.value);
  if (op.index.value > 0 && !b->compound) {
    ref::buddy::put_page(w_, m_, pfn);
    return expect_fault(Fault::unreferenced, Effect::none);
  }
  if (b->references > 1) {
    --b->references;
    ref::buddy::put_page(w_, m_, pfn);
    return expect_fault(Fault::none, Effect::none);
  }
  if (!w_.check_content(*b)) return {};
  // The last one: a compound block goes whole; of another only the first page, and the rest is
  // lost.
  const Block was = *b;
  const bool bad = (was.flags & ref::buddy::page_flags_check_at_free) != 0 || was.mapcount != 0;
  const bool lost = bad && m_.profile().bad_page == BadPage::leaked;
  const bool wrong = !was.compound && was.order > 0;
  set_live(*b, false);
  ref::buddy::put_page(w_, m_, pfn);
  if (w_.broken()) return {};
  if (wrong || lost) w_.model_stale_ = true;
  if (!lost && wrong) unowned(was.pfn, 0);
  if (!lost && !wrong) released(was.pfn, was.order, false);
  if (wrong) return expect_fault(Fault::wrong_order, Effect::leaked);
  return expect_fault(bad ? Fault::bad_page : Fault::none, lost ? Effect::leaked : Effect::freed);
}

Answer Runner::operator()(const PageCount& op) {
  const Block* b = live(op.page);
  if (b == nullptr || op.index.value >= b->pages) return skipped();
  const std::uint32_t count = ref::buddy::page_count(m_, b->pfn + static_cast<Pfn>(op.index.value));
  const bool own = op.index.value == 0 || b->compound || b->exact;
  const std::uint32_t expected = own ? b->references : 0;  // B-30, B-31
  if (count != expected) {
    w_.break_rule("PAGE-COUNT",
                  fmt::format("{} references of pfn {}", expected, b->pfn + op.index.value),
                  fmt::format("{}", count));
  }
  return {Kind::count, count};
}

Answer Runner::operator()(const SplitPage& op) {
  Block* b = live(op.page);
  if (b == nullptr || b->exact) return skipped();
  const std::size_t tails = b->compound ? 0 : b->pages - 1;
  if (tails > 0 && !vacant(op.first.value, tails)) return skipped();
  if (!w_.check_content(*b)) return {};
  ref::buddy::split_page(m_, b->pfn, b->order);
  if (b->compound) return expect_fault(Fault::compound_page, Effect::none);
  for (std::size_t i = 0; i < tails; ++i) {
    const Pfn pfn = b->pfn + static_cast<Pfn>(i) + 1;
    Block& tail = fill(static_cast<std::uint8_t>(op.first.value + i), b->zone, pfn, 0, 0);
    judge_fresh({.out = static_cast<std::uint8_t>(op.first.value + i)}, pfn);
    if (w_.broken()) return {};
    stamp(tail);
  }
  b->order = 0;
  b->pages = 1;
  stamp(*b);
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const PageAddress& op) {
  const Block* b = live(op.page);
  if (b == nullptr) return skipped();
  const auto address = ref::buddy::page_address(m_, b->pfn);
  const std::uint64_t actual = address ? static_cast<std::uint64_t>(*address) : 0;
  const std::uint64_t expected =
      address_of(b->pfn) ? page_offset + std::uint64_t{b->pfn} * m_.config.page_bytes : 0;
  if (actual != expected)
    w_.break_rule("PAGE-ADDRESS", fmt::format("{:#x} of pfn {}", expected, b->pfn),
                  fmt::format("{:#x}", actual));
  return {Kind::address, actual};
}

}  // namespace props::buddy
