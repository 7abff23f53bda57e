// contents: what an owner keeps in a block, so that a foreign write, or a page given out twice,
// shows.
//
//   up to 256 bytes    every word          identity of the block mixed with the word's offset:
//   above              both ends, and a    no two blocks, and no two places in one, look alike
//                      word per 512 bytes
#pragma once
#include <optional>

#include "props/core/violation.hpp"
#include "ref/buddy/machine.hpp"

namespace props::buddy {

void write_stamp(ref::buddy::Machine&, ref::core::Pfn, std::uint64_t bytes, std::uint32_t identity);
// Where the contents differ from what was written.
Broken stamp_broken(const ref::buddy::Machine&, ref::core::Pfn, std::uint64_t bytes,
                    std::uint32_t identity);

}  // namespace props::buddy
