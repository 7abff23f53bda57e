// stamp: what an owner keeps in his memory, so that a foreign write, or a byte with two owners,
// shows.
//
//   up to 256 bytes   every byte            a mix of the stamp's number and the byte's offset: no
//   above             both ends, and eight  two blocks, and no two places in one, look alike
//                     of every 512
#pragma once
#include "props/core/violation.hpp"
#include "ref/kmalloc/kmalloc.hpp"

namespace props::kmalloc {

using ref::kmalloc::Address;
using ref::kmalloc::Machine;

void write_stamp(Machine&, Address, std::uint64_t bytes, std::uint32_t number);
// Where the first `looked_at` of the bytes that were stamped differ from what was written.
Broken stamp_broken(const Machine&, Address, std::uint64_t bytes, std::uint64_t looked_at,
                    std::uint32_t number);
// True when eight bytes of a stamp still stand where they were written.
bool stamp_remains(const Machine&, Address, std::uint64_t bytes, std::uint32_t number);

}  // namespace props::kmalloc
