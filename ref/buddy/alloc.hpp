// alloc: the inside of allocation, shared by the calls that end in it.
//
//   zonelist of (node 0, highest HIGHMEM)   [HIGHMEM 0][NORMAL 0][DMA 0][HIGHMEM 1] ...   never
//   upward
#pragma once
#include "ref/buddy/request.hpp"

namespace ref::buddy {

// Which call a suspended task is in, so that resume() can finish it. Zero: it is in none.
enum class Call : std::uint8_t { none, alloc_pages, get_free_pages, alloc_pages_exact };

// The zones that may serve a request, in the order in which they are asked (W-1).
class Zonelist {
 public:
  Zonelist(const Machine&, const Request&);
  const std::uint8_t* begin() const { return zones_.data(); }
  const std::uint8_t* end() const { return zones_.data() + count_; }

 private:
  std::array<std::uint8_t, core::zones_max> zones_{};
  std::size_t count_ = 0;
};

// alloc_pages on behalf of `call`, whose `argument` is kept should the task have to wait. `node`:
// whose zones come first, if not the caller's; a call that waits does not keep it.
[[nodiscard]] Answer<Pfn> alloc_pages_for(Env&, Machine&, Gfp, unsigned order, Call call,
                                          std::uint64_t argument,
                                          std::optional<std::uint32_t> node = std::nullopt);

// W-2, W-12 to W-14: with the minimum mark and the reserves, then with reclaim, then waiting.
[[nodiscard]] Answer<Pfn> alloc_pages_slowpath(Env&, Machine&, Request, Call call,
                                               std::uint64_t argument);

}  // namespace ref::buddy
