// model: where the reference puts an area, predicted from the sentences with a sorted list.
//
//   2.6.11   the lowest hole between areas that takes it
//   6.1      the lowest hole between areas and what is lazy; if there is none, what is lazy becomes
//            free, and the search is made again (V-4, V-8)
#pragma once
#include "props/vmalloc/ranges.hpp"
#include "ref/vmalloc/vmalloc.hpp"

namespace props::vmalloc {

class Model {
 public:
  // Before a call.
  static Model of(const ref::vmalloc::Machine&);

  // What the call did that the model did not expect: where the area lies, what is lazy.
  std::optional<Finding> granted(const ref::vmalloc::Machine&, std::uint64_t first, const Room&,
                                 bool with_list) const;  // which has room of its own
  // An area of so many pages, with guards, was given back at once.
  std::optional<Finding> released(const ref::vmalloc::Machine&, std::uint64_t pages) const;

 private:
  Ranges busy_, busy_or_lazy_;
  std::uint64_t lazy_pages_ = 0;
  bool drain_pending_ = false;
};

}  // namespace props::vmalloc
