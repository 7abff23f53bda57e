// judge_picture: rows of characters, each for a power of two of frames or bytes.
#include "fuzz/cli/judge_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace cli {
namespace {

using props::recorded::Block;
using props::recorded::Object;
using props::recorded::ObjectViolation;
using props::recorded::PageViolation;

// A stretch of frames or of bytes.
struct Row {
  std::string name;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// Draws what was handed out, and below it what it should not touch (or where it could have been):
//
//      line 49042  [########]  0x221a28..0x221a2f
//      line 48942  [.....#..]  0x221a2d
void draw(const Row& above, const Row& below, std::string_view unit) {
  const std::uint64_t first = std::min(above.first, below.first);
  const std::uint64_t last = std::max(above.last, below.last);
  constexpr std::uint64_t width_max = 64;
  // What a character stands for is a power of two, so that blocks keep their edges.
  const unsigned scale = static_cast<unsigned>(std::bit_width((last - first) / width_max));
  for (const Row& row : {above, below}) {
    std::string cells(((last - first) >> scale) + 1, '.');
    for (std::uint64_t at = (row.first - first) >> scale; at <= (row.last - first) >> scale; ++at)
      cells[at] = '#';
    const std::string end = row.last == row.first ? "" : fmt::format("..{:#x}", row.last);
    fmt::print("    {:<16} [{}]  {:#x}{}\n", row.name, cells, row.first, end);
  }
  if (scale != 0) fmt::print("    ({} {} a character)\n", 1ull << scale, unit);
}

void print_picture(const PageViolation& found) {
  const auto row = [](std::string name, const Block& b) {
    return Row{std::move(name), b.pfn, b.pfn + ((1ull << b.order) - 1)};
  };
  const auto line = [&](const Block& b) { return row(fmt::format("line {}", b.line), b); };
  Block aligned = found.block;
  aligned.pfn &= ~((1ull << aligned.order) - 1);
  draw(line(found.block), found.holder ? line(*found.holder) : row("aligned would be", aligned),
       "frames");
}

// Only a collision has a shape worth drawing: the other faults are two numbers.
void print_picture(const ObjectViolation& found) {
  const auto line = [](const Object& o) {
    return Row{fmt::format("line {}", o.line), o.address, o.address + (o.bytes_alloc - 1)};
  };
  if (found.holder) draw(line(found.object), line(*found.holder), "bytes");
}

}  // namespace

void print_picture(const props::recorded::Violation& violation) {
  std::visit([](const auto& found) { print_picture(found); }, violation.found);
}

}  // namespace cli
