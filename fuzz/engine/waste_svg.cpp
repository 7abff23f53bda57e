// The waste curves as a figure: usable over requested size, and below it what is lost.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "fuzz/engine/waste.hpp"

namespace fuzz {
namespace {

constexpr double left = 70, right = 20, width = 900;
constexpr double octaves = 22;  // 1 byte to 4 MiB

// A panel of the figure: its edge above, and its height.
struct Panel {
  double top, height;
};
constexpr Panel usable_panel{40, 300}, lost_panel{390, 220};
constexpr double figure_height = 680;

double x_of(double size) { return left + std::log2(size) / octaves * (width - left - right); }
double y_of(const Panel& p, double share) { return p.top + p.height * (1 - share); }

struct Line {
  std::string_view interface, era, colour, dashes;
};
// Pages are the same in both eras: shown once.
constexpr std::array lines{
    Line{"kmalloc", "linux-2.6.11", "#b2182b", ""},
    Line{"kmalloc", "linux-6.1", "#2166ac", ""},
    Line{"alloc_pages", "linux-6.1", "#7f7f7f", "6 3"},
    Line{"alloc_pages_exact", "linux-6.1", "#1b7837", "2 2"},
};

// A path from point to point; points that would be drawn on the last one are left out.
class Path {
 public:
  void to(double x, double y) {
    std::string point = fmt::format("{:.1f} {:.1f}", x, y);
    if (point == last_) return;
    path_ += (path_.empty() ? "M" : "L") + point;
    last_ = std::move(point);
  }
  std::string draw(const Line& line) const {
    return fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" "
        "stroke-dasharray=\"{}\"/>\n",
        path_, line.colour, line.dashes.empty() ? "none" : line.dashes);
  }

 private:
  std::string path_, last_;
};

std::string usable_line(const WasteCurve& curve, const Line& line) {
  Path path;
  for (const WasteStep& step : curve.steps) {
    const double y = y_of(usable_panel, std::log2(static_cast<double>(step.usable)) / octaves);
    path.to(x_of(static_cast<double>(step.first)), y);
    path.to(x_of(static_cast<double>(step.last)), y);
  }
  return path.draw(line);
}

std::string lost_line(const WasteCurve& curve, const Line& line) {
  constexpr double points = 6;  // of a step that is wide enough to show its bend
  Path path;
  for (const WasteStep& step : curve.steps) {
    const auto first = static_cast<double>(step.first), last = static_cast<double>(step.last);
    const double between = x_of(last) - x_of(first) < 6 ? 1 : points;
    for (double i = 0; i <= between; ++i) {
      const double size = first + (last - first) * i / between;
      path.to(x_of(size), y_of(lost_panel, 1 - size / static_cast<double>(step.usable)));
    }
  }
  return path.draw(line);
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     text);
}

std::string rule_from(double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#dddddd\"/>\n", x1,
      y1, x2, y2);
}

std::string size_text(unsigned octave) {
  constexpr std::array units{"", " KiB", " MiB"};
  return fmt::format("{}{}", 1u << octave % 10, units[octave / 10]);
}

std::string grid() {
  std::string text;
  for (unsigned octave = 0; octave <= 22; octave += 2) {
    const double x = x_of(std::exp2(octave));
    for (const Panel& p : {usable_panel, lost_panel}) {
      text += rule_from(x, p.top, x, p.top + p.height);
      text += text_at(x, p.top + p.height + 16, "middle", size_text(octave));
    }
    const double y = y_of(usable_panel, octave / octaves);
    text += rule_from(left, y, width - right, y);
    text += text_at(left - 6, y + 4, "end", size_text(octave));
  }
  for (unsigned tenth = 0; tenth <= 10; tenth += 2) {
    const double y = y_of(lost_panel, tenth / 10.0);
    text += rule_from(left, y, width - right, y);
    text += text_at(left - 6, y + 4, "end", fmt::format("{} %", tenth * 10));
  }
  text += text_at(left, usable_panel.top - 12, "start", "usable bytes, by bytes requested");
  return text + text_at(left, lost_panel.top - 12, "start", "lost, by bytes requested");
}

}  // namespace

std::string waste_svg(const std::vector<WasteCurve>& curves) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<title>What is lost between requested and usable size</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width, figure_height);
  text += grid();
  double legend = left;
  for (const Line& line : lines)
    for (const WasteCurve& curve : curves) {
      if (curve.interface != line.interface || curve.era != line.era) continue;
      text += usable_line(curve, line) + lost_line(curve, line);
      Path sample;
      sample.to(legend, figure_height - 20);
      sample.to(legend + 28, figure_height - 20);
      text += sample.draw(line);
      text += text_at(legend + 34, figure_height - 16, "start",
                      fmt::format("{}, {}", line.interface, line.era));
      legend += 205;
    }
  return text + "</svg>\n";
}

}  // namespace fuzz
