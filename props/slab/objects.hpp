// objects: judges an allocator of objects by what its callers see, and by nothing else.
//
//   address   ....[ o0 ]..[ o3 ][ o1 ].....[ p2: pages of a caller      ].....
//              pages of the allocator       its own, from the page source
//
// The ledger holds what callers have, in the order of addresses: a new object must fit between two
// neighbours, and lie in pages that the page allocator calls live and that no caller of pages has.
// Costs O(log n) for each change.
#pragma once
#include <map>

#include "props/slab/contents.hpp"

namespace props::slab {

class Objects {
 public:
  // What was asked, as far as the answer's place is judged.
  struct Ask {
    Bytes bytes = 0;   // asked
    Bytes usable = 0;  // what the allocator says it gave
    std::uint64_t align = 1;
  };

  // An object was handed out. After a finding nothing has changed.
  [[nodiscard]] std::optional<Finding> granted(const ref::buddy::Machine&, std::uint64_t address,
                                               const Ask&);
  void released(std::uint64_t address);

  // A caller of the page allocator got pages, from under no object; and gives them back.
  [[nodiscard]] std::optional<Finding> pages_granted(std::uint64_t address, Bytes);
  void pages_released(std::uint64_t address);

  // Whether the memory below an object is still there.
  static std::optional<Finding> still_in_pages(const ref::buddy::Machine&, std::uint64_t address,
                                               Bytes);
  // A live object begins here.
  bool is_live(std::uint64_t address) const;
  std::size_t count() const { return held_.size(); }
  void clear() { held_.clear(); }

 private:
  struct Held {
    std::uint64_t end;
    bool pages;
  };
  using Ledger = std::map<std::uint64_t, Held>;
  // What lies, with at least one byte, in a range.
  Ledger::const_iterator in_range(std::uint64_t begin, std::uint64_t end) const;
  Ledger held_;
};

}  // namespace props::slab
