// direct_map: where the kernel sees the frames, so that a page event can be said to cover objects.
//
//   address = base + pfn * 4096          the base is in no recording, and KASLR moves it
//
// Two things in a recording tell it. The address of a frame's struct page: where the array of them
// (vmemmap) begins at its place without KASLR, the base is at its own. And a new slab: an object
// that lies, but for a multiple of 1 GiB, in the block that was handed out last; three such blocks
// that agree prove a base, since KASLR moves it by whole gibibytes.
#pragma once
#include <cstdint>
#include <optional>

#include "props/linux/event.hpp"

namespace props::recorded {

class DirectMap {
 public:
  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr unsigned proof = 3;  // blocks that must agree

  // How the base is known.
  enum class Source : std::uint8_t { unknown, layout, objects };

  // Both answer whether the base is another than before.
  bool take_page(const PageEvent& event);
  bool take_object(std::uint64_t address, std::uint64_t bytes);

  Source source() const { return source_; }
  // Zero while unknown.
  std::uint64_t base() const { return base_; }

  struct Range {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };
  // The addresses of a block; empty while the base is unknown or where they end beyond 64 bits.
  Range addresses(std::uint64_t pfn, std::uint8_t order) const;

 private:
  bool believe(std::uint64_t base, Source source);

  Source source_ = Source::unknown;
  std::uint64_t base_ = 0;
  std::optional<PageEvent> last_;  // the block handed out last, until an object is found in it
  std::uint64_t candidate_ = 0;    // a base that objects speak for
  unsigned votes_ = 0;
};

}  // namespace props::recorded
