// contents: what an owner keeps in a block, so that a foreign write, or a page given out twice,
// shows.
//
//   spaced   up to 256 bytes    every word          identity of the block mixed with the word's
//            above              both ends, and a    offset: no two blocks, and no two places in
//                               word per 512 bytes  one, look alike
//   ends     the first word and the last. Costs the same for every block, so that most runs can
//            have it.
#pragma once
#include "props/core/violation.hpp"
#include "ref/buddy/machine.hpp"

namespace props::buddy {

enum class Stamps : std::uint8_t { none, ends, spaced };

// Of a block whose memory begins at `ram` (ram_offset of its first frame, asked once per block).
void write_stamp(ref::buddy::Machine&, std::uint64_t ram, std::uint64_t bytes,
                 std::uint32_t identity, Stamps);
// The contents are as written, at a glance; `false` may also mean that a glance does not tell.
bool stamp_stands(const ref::buddy::Machine&, std::uint64_t ram, std::uint64_t bytes,
                  std::uint32_t identity, Stamps);
// Where the contents differ from what was written.
Broken stamp_broken(const ref::buddy::Machine&, std::uint64_t ram, std::uint64_t bytes,
                    std::uint32_t identity, Stamps);

}  // namespace props::buddy
