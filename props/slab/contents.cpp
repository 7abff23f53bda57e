// Writes and compares what stands in objects.
#include "props/slab/contents.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/core/random.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::slab {
namespace {

constexpr Bytes piece = 8, spaced_end = 32, whole_up_to = 256, stride = 512;

class Values {
 public:
  explicit Values(std::uint32_t identity) : start_(Random(identity).next()) {}
  std::byte at(Bytes offset) const {
    return static_cast<std::byte>((start_ + offset * 0x9e3779b97f4a7c15) >> 56);
  }

 private:
  std::uint64_t start_;
};

// Calls f(offset, bytes) for each stamped piece until it answers false.
template <class F>
void each_piece(Bytes bytes, Stamps stamps, F f) {
  const Bytes end = std::min(bytes, stamps == Stamps::spaced ? spaced_end : piece);
  if (stamps == Stamps::none) return;
  if (stamps == Stamps::spaced && bytes <= whole_up_to) return void(f(Bytes{0}, bytes));
  if (!f(Bytes{0}, end)) return;
  if (stamps == Stamps::spaced)
    for (Bytes at = stride; at + piece <= bytes; at += stride)
      if (!f(at, piece)) return;
  f(bytes - end, end);
}

// The first byte that is not value(offset).
template <class F>
Broken first_other(const ref::buddy::Machine& m, std::uint64_t ram, Bytes from, Bytes bytes,
                   F value) {
  const auto seen = m.arena.bytes(m.ram, ram + from, bytes);
  for (Bytes i = 0; i < bytes; ++i) {
    const std::byte expected = value(from + i);
    if (seen[i] != expected)
      return Witness{fmt::format("byte {}", from + i), std::to_integer<std::uint64_t>(expected),
                     std::to_integer<std::uint64_t>(seen[i])};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> ram_of(const ref::buddy::Machine& m, std::uint64_t address,
                                    Bytes bytes) {
  const std::uint64_t page = m.config.page_bytes;
  if (address < ref::core::page_offset) return std::nullopt;
  const std::uint64_t offset = address - ref::core::page_offset;
  if (offset / page >= ref::core::pfn_end) return std::nullopt;
  const auto pfn = static_cast<ref::core::Pfn>(offset / page);
  const auto z = ref::buddy::zone_of_pfn(m, pfn);
  if (z == ref::buddy::no_zone) return std::nullopt;
  const auto& zone = m.config.zones[z];
  if (bytes > (zone.first + std::uint64_t{zone.pages} - pfn) * page - offset % page)
    return std::nullopt;
  return ref::buddy::ram_offset(m, pfn) + offset % page;
}

void write_contents(ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes, std::uint32_t identity,
                    Stamps stamps) {
  const Values values(identity);
  each_piece(bytes, stamps, [&](Bytes from, Bytes count) {
    const auto to = m.arena.edit_bytes(m.ram, ram + from, count);
    for (Bytes i = 0; i < count; ++i) to[i] = values.at(from + i);
    return true;
  });
}

Broken contents_broken(const ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes,
                       std::uint32_t identity, Stamps stamps) {
  return contents_broken(m, ram, bytes, identity, stamps, bytes);
}

Broken contents_broken(const ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes,
                       std::uint32_t identity, Stamps stamps, Bytes kept) {
  const Values values(identity);
  Broken broken;
  each_piece(bytes, stamps, [&](Bytes from, Bytes count) {
    if (from >= kept) return true;
    broken = first_other(m, ram, from, std::min(count, kept - from),
                         [&](Bytes at) { return values.at(at); });
    return !broken;
  });
  return broken;
}

bool contents_remain(const ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes,
                     std::uint32_t identity, Stamps stamps) {
  const Values values(identity);
  bool remain = false;
  each_piece(bytes, stamps, [&](Bytes from, Bytes count) {
    const auto seen = m.arena.bytes(m.ram, ram + from, count);
    Bytes same = 0;
    for (Bytes i = 0; i < count && same < piece; ++i)
      same = seen[i] == values.at(from + i) ? same + 1 : 0;
    remain = same == piece;
    return !remain;
  });
  return remain;
}

void construct(ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes, ref::slab::Ctor ctor) {
  const auto to = m.arena.edit_bytes(m.ram, ram, bytes);
  for (Bytes i = 0; i < bytes; ++i) to[i] = ref::slab::constructed(ctor, i);
}

Broken construction_broken(const ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes,
                           ref::slab::Ctor ctor) {
  return first_other(m, ram, 0, bytes, [&](Bytes at) { return ref::slab::constructed(ctor, at); });
}

Broken zeros_broken(const ref::buddy::Machine& m, std::uint64_t ram, Bytes bytes) {
  return first_other(m, ram, 0, bytes, [](Bytes) { return std::byte{0}; });
}

}  // namespace props::slab
