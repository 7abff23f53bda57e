// slots: judges any mapper of pages to slots by what its clients see, and by nothing else.
//
//   window   [ page 80 | page 91 |    .    | page 84 ]     a page with users has one slot, and a
//   users         1         3         -         1          slot one page
//
// Any free slot is a legal choice. A wait is legal while no slot is free; that a slot whose last
// user went is free again at once is what waiting callers rely on, whatever has to be flushed
// first.
#pragma once
#include <map>

#include "props/core/violation.hpp"
#include "ref/core/config.hpp"

namespace props::kmap {

using ref::core::Pfn;

class Slots {
 public:
  struct Window {
    std::uint64_t begin = 0, end = 0;  // addresses; the end is behind
    std::uint64_t page_bytes = 1;
    std::uint64_t slots() const { return (end - begin) / page_bytes; }
  };
  Slots() = default;
  explicit Slots(const Window& window) : window_(window) {}

  // A page was mapped. After a finding nothing has changed.
  [[nodiscard]] std::optional<Finding> granted(Pfn, std::uint64_t address);
  void released(Pfn);  // by one of its users

  std::uint32_t users(Pfn) const;
  // The address of a page that has users.
  std::optional<std::uint64_t> address_of(Pfn) const;
  std::optional<Pfn> page_at(std::uint64_t address) const;
  std::uint64_t used() const { return pages_.size(); }
  bool has_room() const { return used() < window_.slots(); }
  const Window& window() const { return window_; }
  bool inside(std::uint64_t address) const {
    return address >= window_.begin && address < window_.end;
  }

 private:
  struct Slot {
    std::uint64_t address;
    std::uint32_t users;
  };
  Window window_;
  std::map<Pfn, Slot> pages_;  // with users
  std::map<std::uint64_t, Pfn> at_;
};

}  // namespace props::kmap
