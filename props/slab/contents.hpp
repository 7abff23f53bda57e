// contents: what a caller keeps in memory below a page or above, so that a foreign write, or memory
// given out twice, shows.
//
//   spaced   up to 256 bytes   every byte       a byte is a mix of the owner's identity and of its
//            above             32 at each end,  offset: no two objects, and hardly two places in
//                              8 per 512        one, look alike
//   ends     the first 8 bytes and the last 8
#pragma once
#include "props/buddy/contents.hpp"
#include "ref/slab/slab.hpp"

namespace props::slab {

using buddy::Stamps;
using Bytes = std::uint64_t;

// Where an address of the direct map lies in RAM, with so many bytes behind it; nothing outside.
std::optional<std::uint64_t> ram_of(const ref::buddy::Machine&, std::uint64_t address, Bytes);

void write_contents(ref::buddy::Machine&, std::uint64_t ram, Bytes, std::uint32_t identity, Stamps);
Broken contents_broken(const ref::buddy::Machine&, std::uint64_t ram, Bytes, std::uint32_t identity,
                       Stamps);
// The same where only the first `kept` of those bytes are still there.
Broken contents_broken(const ref::buddy::Machine&, std::uint64_t ram, Bytes, std::uint32_t identity,
                       Stamps, Bytes kept);
// True when eight bytes in a row still are what was written.
bool contents_remain(const ref::buddy::Machine&, std::uint64_t ram, Bytes, std::uint32_t identity,
                     Stamps);

// The state that a constructor leaves.
void construct(ref::buddy::Machine&, std::uint64_t ram, Bytes, ref::slab::Ctor);
Broken construction_broken(const ref::buddy::Machine&, std::uint64_t ram, Bytes, ref::slab::Ctor);

Broken zeros_broken(const ref::buddy::Machine&, std::uint64_t ram, Bytes);

}  // namespace props::slab
