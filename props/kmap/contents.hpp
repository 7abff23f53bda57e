// contents: what stands in mapped pages, written and read through addresses, as a CPU does it.
//
//   stamp 7 ──store──▶ m0 ─┐
//                          ├─▶ page 84 ──load──▶ the same through m1, m2, on any CPU
//                    m1 ───┘
//
// Bytes are a mix of the stamp and of their offset, so that no two pages look alike.
#pragma once
#include "props/buddy/contents.hpp"
#include "props/core/violation.hpp"
#include "ref/kmap/kmap.hpp"

namespace props::kmap {

using buddy::Stamps;

// By the CPU whose turn it is. What stopped the access, or which byte is another.
struct Seen {
  std::optional<std::uint64_t> fault;  // address without a translation
  Broken broken;
  bool good() const { return !fault && !broken; }
};
Seen write_through(ref::kmap::Machine&, std::uint64_t address, std::uint32_t stamp, Stamps);
Seen read_through(ref::kmap::Machine&, std::uint64_t address, std::uint32_t stamp, Stamps);

// The same, of the frame's own memory.
Broken page_broken(const ref::kmap::Machine&, ref::core::Pfn, std::uint32_t stamp, Stamps);

}  // namespace props::kmap
