// The map of the window as a figure: all of it to scale, and below it each part as wide as it is
// worth seeing.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "fuzz/engine/window.hpp"

namespace fuzz {
namespace {

constexpr double left = 20, width = 900, bar = 40, whole_top = 50, parts_top = 150, row = 26;

struct Colour {
  std::string_view kind, fill;
};
constexpr std::array colours{
    Colour{"lowmem", "#c6dbef"}, Colour{"hole", "#ffffff"},  Colour{"vmalloc", "#fdd0a2"},
    Colour{"area", "#e6550d"},   Colour{"guard", "#252525"}, Colour{"free", "#f0f0f0"},
    Colour{"lazy", "#bdbdbd"},   Colour{"map", "#31a354"},   Colour{"empty", "#e5f5e0"}};

std::string_view fill_of(std::string_view kind) {
  for (const Colour& colour : colours)
    if (colour.kind == kind) return colour.fill;
  return "#ffffff";
}

// What stands in the text of a figure.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

std::string box(double x, double y, double w, double h, const WindowPart& part) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
      "stroke=\"#777777\" stroke-width=\"0.5\"><title>0x{:08x}-0x{:08x} {} {}</title></rect>\n",
      x, y, w, h, fill_of(part.kind), part.begin, part.end, part.kind, escaped(part.owner));
}

std::string text_at(double x, double y, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x, y, escaped(text));
}

// All parts by address, to scale.
std::string whole(const std::vector<WindowPart>& parts) {
  const auto first = static_cast<double>(parts.front().begin);
  const double scale = (width - 2 * left) / (static_cast<double>(parts.back().end) - first);
  std::string text = text_at(left, whole_top - 10, "all addresses, to scale");
  for (const WindowPart& part : parts) {
    const auto begin = static_cast<double>(part.begin), end = static_cast<double>(part.end);
    text += box(left + (begin - first) * scale, whole_top, (end - begin) * scale, bar, part);
  }
  return text;
}

// One row for each part, its length by the logarithm of its size.
std::string one_by_one(const std::vector<WindowPart>& parts) {
  std::string text = text_at(left, parts_top - 10, "part by part");
  double y = parts_top;
  for (const WindowPart& part : parts) {
    const double length = 12 * std::log2(static_cast<double>(part.end - part.begin));
    text += box(left, y, length, row - 6, part);
    text += text_at(
        left + 400, y + 14,
        fmt::format("0x{:08x}-0x{:08x} {} {}", part.begin, part.end, part.kind, part.owner));
    y += row;
  }
  return text;
}

}  // namespace

std::string window_svg(const std::vector<WindowPart>& parts) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<title>The kernel's addresses: who owns what</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width, parts_top + row * static_cast<double>(parts.size()) + left);
  if (!parts.empty()) text += whole(parts) + one_by_one(parts);
  return text + "</svg>\n";
}

}  // namespace fuzz
