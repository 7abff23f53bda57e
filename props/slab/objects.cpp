// Implements the ledger of what callers have.
#include "props/slab/objects.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ref/buddy/buddy.hpp"

namespace props::slab {
namespace {

std::string range_text(std::uint64_t begin, Bytes bytes) {
  return fmt::format("{:#x} to {:#x}", begin, begin + bytes - 1);
}

}  // namespace

Objects::Ledger::const_iterator Objects::in_range(std::uint64_t begin, std::uint64_t end) const {
  auto next = held_.lower_bound(end);
  if (next == held_.begin()) return held_.end();
  --next;
  return next->second.end > begin ? next : held_.end();
}

std::optional<Finding> Objects::granted(const ref::buddy::Machine& m, std::uint64_t address,
                                        const Ask& ask) {
  const Bytes room = std::max<Bytes>(ask.usable, 1);  // an object of no bytes has a place, too
  const auto finding = [](std::string_view rule, std::string expected, std::string actual) {
    return Finding{rule, std::move(expected), std::move(actual)};
  };
  if (ask.usable < ask.bytes)
    return finding("OBJECT-USABLE", fmt::format("{} bytes or more", ask.bytes),
                   fmt::format("{} bytes at {:#x}", ask.usable, address));
  if (ask.align > 1 && address % ask.align != 0)
    return finding("OBJECT-ALIGNED", fmt::format("a multiple of {}", ask.align),
                   fmt::format("{:#x}", address));
  const auto other = in_range(address, address + room);
  if (other != held_.end()) {
    const bool pages = other->second.pages;
    return finding(pages ? "OBJECT-IN-PAGES" : "OBJECT-DISJOINT",
                   pages ? "memory of the allocator's own" : "memory that no caller has",
                   fmt::format("{}, while a caller has {}", range_text(address, room),
                               range_text(other->first, other->second.end - other->first)));
  }
  if (auto outside = still_in_pages(m, address, room)) return outside;
  held_.emplace(address, Held{address + room, false});
  return std::nullopt;
}

void Objects::released(std::uint64_t address) { held_.erase(address); }

std::optional<Finding> Objects::pages_granted(std::uint64_t address, Bytes bytes) {
  const auto other = in_range(address, address + bytes);
  if (other != held_.end())
    return Finding{
        "OBJECT-IN-PAGES", "pages below no live object go back, and no others",
        fmt::format("{} were handed out, while a caller has {}", range_text(address, bytes),
                    range_text(other->first, other->second.end - other->first))};
  held_.emplace(address, Held{address + bytes, true});
  return std::nullopt;
}

void Objects::pages_released(std::uint64_t address) { held_.erase(address); }

bool Objects::is_live(std::uint64_t address) const {
  const auto at = held_.find(address);
  return at != held_.end() && !at->second.pages;
}

std::optional<Finding> Objects::still_in_pages(const ref::buddy::Machine& m, std::uint64_t address,
                                               Bytes bytes) {
  const auto outside = [&] {
    return Finding{"OBJECT-IN-PAGES", "all bytes in one live block of the page allocator",
                   range_text(address, bytes)};
  };
  if (bytes == 0 || !ram_of(m, address, bytes)) return outside();
  const auto frame = [&](std::uint64_t at) {
    return static_cast<ref::core::Pfn>((at - ref::core::page_offset) / m.config.page_bytes);
  };
  const auto head = ref::buddy::head_of(m, frame(address));
  if (!head || ref::buddy::head_of(m, frame(address + bytes - 1)) != head) return outside();
  const auto& zone = ref::buddy::zone_at(m, ref::buddy::zone_of_pfn(m, *head));
  const auto kind = ref::buddy::page_at(m, ref::buddy::page_index(zone, *head)).kind;
  if (kind != ref::buddy::PageKind::live_head || zone.kind == ref::core::ZoneKind::highmem)
    return outside();
  return std::nullopt;
}

}  // namespace props::slab
