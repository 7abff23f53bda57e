// Implements the stamps in live blocks.
#include "props/buddy/contents.hpp"

#include <fmt/format.h>

#include <cstring>

#include "props/core/random.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {
namespace {

constexpr std::uint64_t word = 8, whole_up_to = 256, stride = 512;

std::uint64_t value_at(std::uint32_t identity, std::uint64_t offset) {
  return Random(identity * std::uint64_t{0x100000001b3} + offset).next();
}

// Calls f with the offset of each stamped word until it answers false.
template <class F>
void each_word(std::uint64_t bytes, F f) {
  const std::uint64_t step = bytes <= whole_up_to ? word : stride;
  for (std::uint64_t at = 0; at + word <= bytes; at += step)
    if (!f(at)) return;
  if (step != word) f(bytes - word);
}

}  // namespace

void write_stamp(ref::buddy::Machine& m, ref::core::Pfn pfn, std::uint64_t bytes,
                 std::uint32_t identity) {
  each_word(bytes, [&](std::uint64_t at) {
    const std::uint64_t value = value_at(identity, at);
    std::memcpy(ref::buddy::write_pages(m, pfn, at, word).data(), &value, word);
    return true;
  });
}

Broken stamp_broken(const ref::buddy::Machine& m, ref::core::Pfn pfn, std::uint64_t bytes,
                    std::uint32_t identity) {
  Broken broken;
  each_word(bytes, [&](std::uint64_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, ref::buddy::read_pages(m, pfn, at, word).data(), word);
    if (value == value_at(identity, at)) return true;
    broken = Witness{fmt::format("byte {} of the block at pfn {}", at, pfn), value_at(identity, at),
                     value};
    return false;
  });
  return broken;
}

}  // namespace props::buddy
