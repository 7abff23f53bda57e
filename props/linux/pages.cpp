// pages: the map of known frames, and what each event does to it.
#include "props/linux/pages.hpp"

#include <algorithm>

#include "props/linux/rules.hpp"

namespace props::recorded {

void PagesJudge::feed(const PageEvent& event, std::uint64_t line,
                      std::vector<PageViolation>& violations) {
  switch (event.kind) {
    case PageEventKind::alloc: alloc({event.pfn, event.order, line}, violations); return;
    case PageEventKind::failed_alloc: return;
    case PageEventKind::free:
    case PageEventKind::free_batched: free(event); return;
  }
}

void PagesJudge::alloc(const Block& block, std::vector<PageViolation>& violations) {
  const std::uint64_t pages = 1ull << block.order;
  const std::uint64_t end = block.pfn + pages;
  if ((block.pfn & (pages - 1)) != 0) violations.push_back({&aligned_rule(), block, {}});

  auto place = spans_.first_reaching(block.pfn);
  // What nearly always happens: unknown frames, or those that were freed as the very same block.
  if (spans_.at_end(place) || spans_.at(place).first >= end)
    return spans_.insert(place, live_span(block));
  if (Span& span = spans_.at(place);
      span.first == block.pfn && span.end == end && span.owner != Owner::live) {
    span = live_span(block);
    return;
  }
  bool collided = false;
  while (!spans_.at_end(place) && spans_.at(place).first < end) {
    const Span& span = spans_.at(place);
    if (span.owner != Owner::live) {
      place = spans_.next(place);
      continue;
    }
    if (!collided) violations.push_back({&disjoint_rule(), block, span.block()});
    collided = true;
    place = spans_.erase(place);
  }
  spans_.assign(live_span(block));
}

// One free of the kernel may be two events. The second of a pair is no free of its own; it closes
// the pair, and the next event of either kind stands for a page that was live without our knowing.
Owner PagesJudge::after_free(Owner before, Owner seen, Found& found) {
  if (before == Owner::live) return seen;
  if (before == Owner::both || before == seen) {
    found.free = true;
    return seen;
  }
  found.pair = true;
  return Owner::both;
}

void PagesJudge::free(const PageEvent& event) {
  const std::uint64_t first = event.pfn;
  const std::uint64_t end = first + (1ull << event.order);
  const Owner seen = event.kind == PageEventKind::free_batched ? Owner::batched : Owner::freed;
  const auto place = spans_.first_reaching(first);
  Found found;
  if (spans_.at_end(place) || spans_.at(place).first >= end) {
    found.unknown = true;
    spans_.insert(place, free_span(first, end, seen));
  } else if (Span& span = spans_.at(place); span.first == first && span.end == end) {
    found.take_live(span, first, end);
    span = free_span(first, end, after_free(span.owner, seen, found));
  } else {
    free_mixed(first, end, seen, found);
  }
  note(found);
}

// A free whose frames are not exactly one known interval; each piece goes on from its own past.
void PagesJudge::free_mixed(std::uint64_t first, std::uint64_t end, Owner seen, Found& found) {
  pieces_.clear();
  std::uint64_t at = first;
  for (auto place = spans_.first_reaching(first);
       !spans_.at_end(place) && spans_.at(place).first < end; place = spans_.next(place)) {
    const Span& span = spans_.at(place);
    const std::uint64_t from = std::max(span.first, first);
    const std::uint64_t to = std::min(span.end, end);
    if (at < from) pieces_.push_back(free_span(at, from, seen));
    found.unknown = found.unknown || at < from;
    found.take_live(span, from, to);
    pieces_.push_back(free_span(from, to, after_free(span.owner, seen, found)));
    at = to;
  }
  if (at < end) pieces_.push_back(free_span(at, end, seen));
  found.unknown = found.unknown || at < end;
  for (const Span& piece : pieces_) spans_.assign(piece);
}

void PagesJudge::Found::take_live(const Span& span, std::uint64_t from, std::uint64_t to) {
  if (span.owner != Owner::live) return;
  ++live;
  part = part || to - from != 1ull << span.order;
}

void PagesJudge::note(const Found& found) {
  const bool others = found.unknown || found.free || found.pair;
  notes_.free_of_unknown += found.unknown ? 1 : 0;
  notes_.batched_beside_free += found.pair ? 1 : 0;
  notes_.free_of_free += found.free ? 1 : 0;
  notes_.free_of_part += found.part ? 1 : 0;
  notes_.free_of_several += found.live > 1 || (found.live == 1 && others) ? 1 : 0;
}

}  // namespace props::recorded
