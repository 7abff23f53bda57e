// The ledger of pages in slots.
#include "props/kmap/slots.hpp"

#include <fmt/format.h>

#include "ref/core/require.hpp"

namespace props::kmap {

std::optional<Finding> Slots::granted(Pfn pfn, std::uint64_t address) {
  if (!inside(address) || (address - window_.begin) % window_.page_bytes != 0)
    return Finding{
        "KMAP-WINDOW",
        fmt::format("the start of one of {} slots from {:#x} on", window_.slots(), window_.begin),
        fmt::format("{:#x}", address)};
  if (const auto known = pages_.find(pfn); known != pages_.end()) {
    if (known->second.address != address)
      return Finding{
          "KMAP-SAME",
          fmt::format("pfn {} at {:#x}, where its users have it", pfn, known->second.address),
          fmt::format("{:#x}", address)};
    ++known->second.users;
    return std::nullopt;
  }
  if (const auto other = at_.find(address); other != at_.end())
    return Finding{"KMAP-DISJOINT", fmt::format("a slot that nobody uses, for pfn {}", pfn),
                   fmt::format("{:#x}, which maps pfn {}", address, other->second)};
  pages_[pfn] = {address, 1};
  at_[address] = pfn;
  return std::nullopt;
}

void Slots::released(Pfn pfn) {
  const auto known = pages_.find(pfn);
  REQUIRE(known != pages_.end());
  if (--known->second.users > 0) return;
  at_.erase(known->second.address);
  pages_.erase(known);
}

std::uint32_t Slots::users(Pfn pfn) const {
  const auto known = pages_.find(pfn);
  return known == pages_.end() ? 0 : known->second.users;
}

std::optional<std::uint64_t> Slots::address_of(Pfn pfn) const {
  const auto known = pages_.find(pfn);
  if (known == pages_.end()) return std::nullopt;
  return known->second.address;
}

std::optional<Pfn> Slots::page_at(std::uint64_t address) const {
  const auto known = at_.find(address);
  if (known == at_.end()) return std::nullopt;
  return known->second;
}

}  // namespace props::kmap
