// Writes and compares pages through their mappings.
#include "props/kmap/contents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "props/core/random.hpp"

namespace props::kmap {
namespace {

using ref::buddy::Address;
using ref::kmap::Machine;

constexpr std::uint64_t piece = 64, stride = 512;

class Values {
 public:
  explicit Values(std::uint32_t stamp) : start_(Random(stamp).next()) {}
  std::byte at(std::uint64_t offset) const {
    return static_cast<std::byte>((start_ + offset * 0x9e3779b97f4a7c15) >> 56);
  }

 private:
  std::uint64_t start_;
};

// Calls f(offset, bytes) for each stamped piece until it answers false.
template <class F>
void each_piece(std::uint64_t page, Stamps stamps, F f) {
  if (stamps == Stamps::none) return;
  const std::uint64_t part = std::min<std::uint64_t>(8, piece);
  if (stamps == Stamps::ends) return void(f(std::uint64_t{0}, part) && f(page - part, part));
  const std::uint64_t step = page <= stride ? piece : stride;
  const std::uint64_t bytes = page <= stride ? piece : part;
  for (std::uint64_t at = 0; at < page; at += step)
    if (!f(at, bytes)) return;
  f(page - part, part);
}

Broken first_other(std::span<const std::byte> seen, const Values& values, std::uint64_t from) {
  for (std::uint64_t i = 0; i < seen.size(); ++i)
    if (seen[i] != values.at(from + i))
      return Witness{fmt::format("byte {}", from + i),
                     std::to_integer<std::uint64_t>(values.at(from + i)),
                     std::to_integer<std::uint64_t>(seen[i])};
  return std::nullopt;
}

}  // namespace

Seen write_through(Machine& m, std::uint64_t address, std::uint32_t stamp, Stamps stamps) {
  const Values values(stamp);
  Seen seen;
  std::array<std::byte, piece> bytes{};
  each_piece(m.config.page_bytes, stamps, [&](std::uint64_t from, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) bytes[i] = values.at(from + i);
    const auto done = ref::mmu::store(m, Address{address + from}, std::span(bytes).first(count));
    if (!done) seen.fault = static_cast<std::uint64_t>(done.error().address);
    return seen.good();
  });
  return seen;
}

Seen read_through(Machine& m, std::uint64_t address, std::uint32_t stamp, Stamps stamps) {
  const Values values(stamp);
  Seen seen;
  std::array<std::byte, piece> bytes{};
  each_piece(m.config.page_bytes, stamps, [&](std::uint64_t from, std::uint64_t count) {
    const auto part = std::span(bytes).first(count);
    const auto done = ref::mmu::load(m, Address{address + from}, part);
    if (!done) seen.fault = static_cast<std::uint64_t>(done.error().address);
    else seen.broken = first_other(part, values, from);
    return seen.good();
  });
  return seen;
}

Broken page_broken(const Machine& m, ref::core::Pfn pfn, std::uint32_t stamp, Stamps stamps) {
  const Values values(stamp);
  Broken broken;
  each_piece(m.config.page_bytes, stamps, [&](std::uint64_t from, std::uint64_t count) {
    broken = first_other(ref::buddy::read_pages(m, pfn, from, count), values, from);
    return !broken;
  });
  return broken;
}

}  // namespace props::kmap
