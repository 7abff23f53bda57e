// Implements the stamps in live blocks.
#include "props/buddy/contents.hpp"

#include <fmt/format.h>

#include <cstring>

#include "props/core/random.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {
namespace {

constexpr std::uint64_t word = 8, whole_up_to = 256, stride = 512;

// One mix for the block, one multiplication for the place: by an odd number, so that no two places
// of a block are alike.
class Values {
 public:
  explicit Values(std::uint32_t identity) : start_(Random(identity).next()) {}
  std::uint64_t at(std::uint64_t offset) const { return start_ + offset * 0x9e3779b97f4a7c15; }

 private:
  std::uint64_t start_;
};

// Calls f with the offset of each stamped word until it answers false. True: it never did.
template <class F>
bool each_word(std::uint64_t bytes, Stamps stamps, F f) {
  switch (stamps) {
    case Stamps::none: return true;
    case Stamps::ends: return f(0) && f(bytes - word);
    case Stamps::spaced: break;
  }
  const std::uint64_t step = bytes <= whole_up_to ? word : stride;
  for (std::uint64_t at = 0; at + word <= bytes; at += step)
    if (!f(at)) return false;
  return step == word || f(bytes - word);
}

}  // namespace

void write_stamp(ref::buddy::Machine& m, std::uint64_t start, std::uint64_t bytes,
                 std::uint32_t identity, Stamps stamps) {
  const Values values(identity);
  if (stamps == Stamps::ends && bytes <= ref::core::chunk_bytes) {
    std::byte* const block = m.arena.edit_bytes(m.ram, start, bytes).data();
    const std::uint64_t first = values.at(0), last = values.at(bytes - word);
    std::memcpy(block, &first, word);
    std::memcpy(block + (bytes - word), &last, word);
    return;
  }
  each_word(bytes, stamps, [&](std::uint64_t at) {
    const std::uint64_t value = values.at(at);
    std::memcpy(m.arena.edit_bytes(m.ram, start + at, word).data(), &value, word);
    return true;
  });
}

bool stamp_stands(const ref::buddy::Machine& m, std::uint64_t start, std::uint64_t bytes,
                  std::uint32_t identity, Stamps stamps) {
  if (stamps != Stamps::ends) return false;
  const Values values(identity);
  const std::byte* const block = m.arena.bytes(m.ram, start, bytes).data();
  std::uint64_t first = 0, last = 0;
  std::memcpy(&first, block, word);
  std::memcpy(&last, block + (bytes - word), word);
  return first == values.at(0) && last == values.at(bytes - word);
}

Broken stamp_broken(const ref::buddy::Machine& m, std::uint64_t start, std::uint64_t bytes,
                    std::uint32_t identity, Stamps stamps) {
  const Values values(identity);
  std::uint64_t where = 0, value = 0;
  const bool intact = each_word(bytes, stamps, [&](std::uint64_t at) {
    where = at;
    std::memcpy(&value, m.arena.bytes(m.ram, start + at, word).data(), word);
    return value == values.at(at);
  });
  if (intact) return std::nullopt;
  return Witness{fmt::format("byte {} of the block", where), values.at(where), value};
}

}  // namespace props::buddy
