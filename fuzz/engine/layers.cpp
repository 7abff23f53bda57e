// The rows that can be fuzzed, replayed and explained.
#include "fuzz/engine/layers.hpp"

#include <algorithm>
#include <array>

#include "fuzz/engine/row.hpp"
#include "props/buddy/layer.hpp"
#include "props/kmalloc/layer.hpp"
#include "props/slab/layer.hpp"

namespace fuzz {
namespace {

constexpr std::array rows{
    Row<props::buddy::Layer>::layer(),
    Row<props::slab::Layer>::layer(),
    Row<props::kmalloc::Layer>::layer(),
};

}  // namespace

std::span<const Layer> layers() { return rows; }

const Layer* find_layer(std::string_view name) {
  const auto* row = std::ranges::find(rows, name, &Layer::name);
  return row == rows.end() ? nullptr : row;
}

const Layer& layer_of_trace(std::string_view text) {
  for (const Layer& layer : rows)
    if (layer.inspect(text)) return layer;
  return rows.front();
}

}  // namespace fuzz
