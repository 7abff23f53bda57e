// Implements the stamps in live memory.
#include "props/kmalloc/stamp.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props::kmalloc {
namespace {

constexpr std::uint64_t whole_up_to = 256, end = 32, stride = 512, word = 8;

// By odd multipliers, so that neighbours differ.
std::byte value_at(std::uint32_t number, std::uint64_t offset) {
  const std::uint64_t mixed =
      (std::uint64_t{number} + 1) * 0x9e3779b97f4a7c15 ^ (offset + 1) * 0xbf58476d1ce4e5b9;
  return std::byte(mixed >> 56 ^ mixed >> 29);
}

// Calls f(offset, count) for each run of stamped bytes, until it answers false.
template <class F>
bool each_run(std::uint64_t bytes, F f) {
  if (bytes <= whole_up_to) return bytes == 0 || f(std::uint64_t{0}, bytes);
  for (std::uint64_t at = 0; at + word <= bytes; at += stride)
    if (!f(at, at == 0 ? end : word)) return false;
  return f(bytes - end, end);
}

std::span<const std::byte> read(const Machine& m, Address at, std::uint64_t offset,
                                std::uint64_t count) {
  return ref::slab::read_bytes(m, Address{static_cast<std::uint64_t>(at) + offset}, count);
}

}  // namespace

void write_stamp(Machine& m, Address at, std::uint64_t bytes, std::uint32_t number) {
  each_run(bytes, [&](std::uint64_t offset, std::uint64_t count) {
    const auto span =
        ref::slab::write_bytes(m, Address{static_cast<std::uint64_t>(at) + offset}, count);
    for (std::uint64_t i = 0; i < count; ++i) span[i] = value_at(number, offset + i);
    return true;
  });
}

Broken stamp_broken(const Machine& m, Address at, std::uint64_t bytes, std::uint64_t looked_at,
                    std::uint32_t number) {
  Broken found;
  each_run(bytes, [&](std::uint64_t offset, std::uint64_t count) {
    if (offset >= looked_at) return true;
    const auto span = read(m, at, offset, std::min(count, looked_at - offset));
    for (std::uint64_t i = 0; i < span.size() && !found; ++i)
      if (span[i] != value_at(number, offset + i))
        found = Witness{fmt::format("byte {} of {}", offset + i, bytes),
                        std::to_integer<std::uint64_t>(value_at(number, offset + i)),
                        std::to_integer<std::uint64_t>(span[i])};
    return !found;
  });
  return found;
}

bool stamp_remains(const Machine& m, Address at, std::uint64_t bytes, std::uint32_t number) {
  return !each_run(bytes, [&](std::uint64_t offset, std::uint64_t count) {
    const auto span = read(m, at, offset, count);
    std::uint64_t same = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      same = span[i] == value_at(number, offset + i) ? same + 1 : 0;
      if (same == word) return false;
    }
    return true;
  });
}

}  // namespace props::kmalloc
