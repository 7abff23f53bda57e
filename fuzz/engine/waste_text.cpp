// The waste curves as tables, and as a plot for a terminal.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "fuzz/engine/waste.hpp"

namespace fuzz {
namespace {

double percent(double share) { return 100 * share; }

std::string title(const WasteCurve& curve, std::string_view beside) {
  return fmt::format("{}{}, {}: 1 to {} bytes (machine {})\n", curve.interface, beside, curve.era,
                     curve.limit(), curve.machine);
}

std::string table(const WasteCurve& curve) {
  std::string text = title(curve, "");
  text += fmt::format("{:>10} {:>10} {:>10} {:>12} {:>12}\n", "from", "to", "usable",
                      "lost at most", "on average");
  for (const WasteStep& step : curve.steps) {
    const Lost all = lost(curve, step.first, step.last);
    text += fmt::format("{:>10} {:>10} {:>10} {:>10.1f} % {:>10.1f} %\n", step.first, step.last,
                        step.usable, percent(all.worst), percent(all.mean));
  }
  const Lost all = lost(curve, 1, curve.limit());
  return text + fmt::format("{:>32} {:>10.1f} % {:>10.1f} %\n", "all sizes", percent(all.worst),
                            percent(all.mean));
}

// One row for each order; the exact call has a step for each page.
std::string table(const WasteCurve& orders, const WasteCurve& exact) {
  std::string text = title(orders, " against alloc_pages_exact");
  text += fmt::format("{:>10} {:>10} {:>12} {:>12} {:>12} {:>12}\n", "from", "to", "lost at most",
                      "on average", "exact: most", "on average");
  for (const WasteStep& step : orders.steps) {
    const Lost block = lost(orders, step.first, step.last);
    const Lost pages = lost(exact, step.first, step.last);
    text += fmt::format("{:>10} {:>10} {:>10.1f} % {:>10.1f} % {:>10.1f} % {:>10.1f} %\n",
                        step.first, step.last, percent(block.worst), percent(block.mean),
                        percent(pages.worst), percent(pages.mean));
  }
  return text;
}

// A column is a quarter of an octave of sizes: '#' up to the average loss, ':' up to the worst.
std::string plot(const WasteCurve& curve) {
  constexpr unsigned columns = 88, rows = 10, each = 4;
  std::array<Lost, columns> column;
  const auto edge = [](unsigned c) {
    return static_cast<std::uint64_t>(std::ceil(std::exp2(double{1.0 * c} / each)));
  };
  for (unsigned c = 0; c < columns; ++c) {
    const std::uint64_t first = edge(c), next = edge(c + 1);
    column[c] = lost(curve, first, next > first ? next - 1 : first);
  }
  std::string text =
      fmt::format("lost by {}, {}   # on average   : at most\n", curve.interface, curve.era);
  for (unsigned row = rows; row > 0; --row) {
    const double height = (row - 0.5) / rows;
    std::string line = fmt::format("{:>4} % |", 100 * row / rows);
    for (const Lost& l : column) line += l.mean >= height ? '#' : l.worst >= height ? ':' : ' ';
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  text += "       +" + std::string(columns, '-') + "\n        ";
  for (const char* mark : {"1", "16", "256", "4 KiB", "64 KiB", "1 MiB"})
    text += fmt::format("{:<16}", mark);
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

std::string waste_text(const std::vector<WasteCurve>& curves) {
  std::string text;
  for (const WasteCurve& curve : curves)
    if (curve.interface == "kmalloc") text += table(curve) + "\n" + plot(curve) + "\n";
  for (std::size_t i = 0; i + 1 < curves.size(); ++i)
    if (curves[i].interface == "alloc_pages")
      text += table(curves[i], curves[i + 1]) + "\n" + plot(curves[i]) + "\n" +
              plot(curves[i + 1]) + "\n";
  return text;
}

}  // namespace fuzz
