// Names what the page allocator's searches reached.
#include "fuzz/engine/reach.hpp"

#include <fmt/format.h>

#include <numeric>
#include <span>

namespace fuzz {
namespace {

template <class Names>
ReachGroup group(std::string name, const Names& names, std::span<const std::uint64_t> counts) {
  ReachGroup out{std::move(name), {}};
  for (std::size_t i = 0; i < counts.size(); ++i)
    out.counts.emplace_back(std::string(names[i]), counts[i]);
  return out;
}

template <class Operation>
std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  props::any_alternative<Operation>([&](auto op) {
    names.emplace_back(op.name);
    return false;
  });
  return names;
}

std::uint64_t sum(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : part * 100 / whole;
}

// "0-10", "0-3,5", "none"
std::string ranges(std::span<const std::uint64_t> counts) {
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::size_t first = i;
    while (i + 1 < counts.size() && counts[i + 1] > 0) ++i;
    text += text.empty() ? "" : ",";
    text += first == i ? fmt::format("{}", i) : fmt::format("{}-{}", first, i);
  }
  return text.empty() ? "none" : text;
}

std::string line_of(const props::buddy::Reach& r) {
  const std::uint64_t granted = sum(r.granted), refused = sum(r.refused);
  const std::uint64_t executed = sum(r.executed), skipped = sum(r.skipped);
  std::size_t faults = 0;  // the first name stands for none
  for (std::size_t i = 1; i < r.faults.size(); ++i) faults += r.faults[i] > 0 ? 1 : 0;
  return fmt::format("grants {}% skips {}% faults {}/{} orders {}",
                     percent(granted, granted + refused), percent(skipped, executed + skipped),
                     faults, r.faults.size() - 1, ranges(r.granted));
}

}  // namespace

ReachTable reach_table(const props::buddy::Reach& r) {
  const auto names = operation_names<props::buddy::Operation>();
  std::vector<std::string> orders, quarters{"empty", "quarter", "half", "three_quarters"};
  for (std::size_t i = 0; i < r.granted.size(); ++i) orders.push_back(std::to_string(i));
  ReachTable table;
  table.groups = {
      group("executed", names, r.executed),
      group("skipped", names, r.skipped),
      group("granted_by_order", orders, r.granted),
      group("refused_by_order", orders, r.refused),
      group("faults", std::span(ref::core::fault_names).subspan(1), std::span(r.faults).subspan(1)),
      group("yield_points", ref::core::point_names, r.points),
      group("fill", quarters, r.fill)};
  table.groups.push_back({"events",
                          {{"fallbacks", r.fallbacks},
                           {"suspended", r.suspended},
                           {"resumed", r.resumed},
                           {"probes", r.probes},
                           {"exhaustions", r.exhaustions},
                           {"injected", r.injected}}});
  table.line = line_of(r);
  return table;
}

}  // namespace fuzz
