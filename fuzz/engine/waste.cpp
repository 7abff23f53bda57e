// Asks for every size, in steps.
#include "fuzz/engine/waste.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include "props/core/machine_line.hpp"
#include "ref/kmalloc/kmalloc.hpp"

namespace fuzz {
namespace {

using ref::kmalloc::Machine;

struct QuietEnv final : ref::core::Env {};

// Enough of both zones for the largest blocks, and no pages parked where they would not be counted.
ref::core::Config machine_of(ref::core::EraId era) {
  ref::core::Config c;
  c.era = era;
  c.pcp = false;
  c.add_zone(ref::core::ZoneKind::dma, 4096);
  c.add_zone(ref::core::ZoneKind::normal, 12288);
  return c;
}

ref::core::Gfp caller(const Machine& m) {
  return ref::core::gfp_of(m.config.era, "GFP_KERNEL") | ref::core::GFP_BIT_NORETRY |
         ref::core::GFP_BIT_NOWARN;
}

std::uint64_t free_pages(const Machine& m) {
  std::uint64_t free = 0;
  for (ref::core::Index z = 0; z < m.config.zone_count; ++z)
    free += ref::buddy::zone_at(m, z).free_pages;
  return free;
}

// The usable bytes that a request gets, nothing when it is refused. Gives them back.
using Ask = std::optional<std::uint64_t> (*)(Machine&, std::uint64_t bytes);

std::optional<std::uint64_t> ask_kmalloc(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  const auto got = ref::kmalloc::kmalloc(env, m, bytes, caller(m));
  if (!got) return std::nullopt;
  const std::uint64_t usable = ref::kmalloc::ksize(m, *got);
  ref::kmalloc::kfree(env, m, *got);
  return usable;
}

// A caller of alloc_pages works the order out himself.
std::optional<std::uint64_t> ask_pages(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  const auto order = static_cast<unsigned>(std::bit_width((bytes - 1) / m.config.page_bytes));
  const std::uint64_t before = free_pages(m);
  const auto got = ref::buddy::alloc_pages(env, m, caller(m), order);
  if (!got) return std::nullopt;
  const std::uint64_t pages = before - free_pages(m);
  ref::buddy::free_pages_(env, m, *got, order);
  return pages * m.config.page_bytes;
}

std::optional<std::uint64_t> ask_exact(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  const std::uint64_t before = free_pages(m);
  const auto got = ref::buddy::alloc_pages_exact(env, m, bytes, caller(m));
  if (!got) return std::nullopt;
  const std::uint64_t pages = before - free_pages(m);
  ref::buddy::free_pages_exact(env, m, *got, bytes);
  return pages * m.config.page_bytes;
}

// The last size that is answered as `first` is. Usually all that is usable; else it lies between.
std::uint64_t end_of_step(Machine& m, Ask ask, std::uint64_t first, std::uint64_t usable) {
  std::uint64_t same = first, other = usable + 1;
  if (ask(m, usable) == usable) return usable;
  while (other - same > 1) {
    const std::uint64_t middle = same + (other - same) / 2;
    (ask(m, middle) == usable ? same : other) = middle;
  }
  return same;
}

WasteCurve curve(std::string_view interface, ref::core::EraId era, Ask ask) {
  const ref::core::Config config = machine_of(era);
  Machine m(config);
  WasteCurve found{interface, config.profile().name, props::print_machine(config), {}};
  for (std::uint64_t size = 1;;) {
    const std::optional<std::uint64_t> usable = ask(m, size);
    if (!usable || *usable < size) return found;
    found.steps.push_back({size, end_of_step(m, ask, size, *usable), *usable});
    size = found.steps.back().last + 1;
  }
}

}  // namespace

std::vector<WasteCurve> waste_curves() {
  std::vector<WasteCurve> curves;
  for (const auto era : {ref::core::EraId::linux_2_6_11, ref::core::EraId::linux_6_1}) {
    curves.push_back(curve("kmalloc", era, ask_kmalloc));
    curves.push_back(curve("alloc_pages", era, ask_pages));
    curves.push_back(curve("alloc_pages_exact", era, ask_exact));
  }
  return curves;
}

Lost lost(const WasteCurve& curve, std::uint64_t first, std::uint64_t last) {
  Lost found;
  double sum = 0, sizes = 0;
  for (const WasteStep& step : curve.steps) {
    const std::uint64_t from = std::max(first, step.first), to = std::min(last, step.last);
    if (from > to) continue;
    const auto a = static_cast<double>(from), b = static_cast<double>(to);
    const auto usable = static_cast<double>(step.usable);
    found.worst = std::max(found.worst, 1 - a / usable);
    sum += (b - a + 1) * (1 - (a + b) / 2 / usable);
    sizes += b - a + 1;
  }
  if (sizes > 0) found.mean = sum / sizes;
  return found;
}

}  // namespace fuzz
