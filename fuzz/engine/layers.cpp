// The rows that can be fuzzed, replayed and explained.
#include "fuzz/engine/layers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "fuzz/engine/row.hpp"
#include "props/buddy/layer.hpp"
#include "props/kmalloc/layer.hpp"
#include "props/kmap/layer.hpp"
#include "props/slab/layer.hpp"
#include "props/vmalloc/layer.hpp"

namespace fuzz {
namespace {

constexpr std::array rows{
    Row<props::buddy::Layer>::layer(),   Row<props::kmap::Layer>::layer(),
    Row<props::slab::Layer>::layer(),    Row<props::kmalloc::Layer>::layer(),
    Row<props::vmalloc::Layer>::layer(),
};

}  // namespace

std::span<const Layer> layers() { return rows; }

const Layer* find_layer(std::string_view name) {
  const auto* row = std::ranges::find(rows, name, &Layer::name);
  return row == rows.end() ? nullptr : row;
}

const Layer& layer_of_trace(std::string_view text) {
  const Layer* furthest = &rows.front();
  std::pair<std::uint32_t, std::uint32_t> reached{0, 0};
  for (const Layer& layer : rows) {
    const auto info = layer.inspect(text);
    if (info) return layer;
    const std::pair at{info.error().line, info.error().column};
    if (at > reached) furthest = &layer, reached = at;
  }
  return *furthest;
}

}  // namespace fuzz
