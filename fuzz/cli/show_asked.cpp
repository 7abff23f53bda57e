// Asks, and prints: text, a figure, or JSON.
#include "fuzz/cli/show_asked.hpp"

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/engine/largest.hpp"
#include "fuzz/engine/waste.hpp"

namespace cli {
namespace {

// The machines of `show limits` where none is named: 64 MiB, both eras.
constexpr std::array usual_machines{"era=linux-2.6.11 zones=DMA:4096,NORMAL:12288",
                                    "era=linux-6.1 zones=DMA:4096,NORMAL:12288"};

Json json_of(const fuzz::WasteCurve& curve) {
  Json steps = Json::array();
  for (const fuzz::WasteStep& step : curve.steps) {
    const fuzz::Lost lost = fuzz::lost(curve, step.first, step.last);
    steps.push_back({{"first", step.first},
                     {"last", step.last},
                     {"usable", step.usable},
                     {"lost_at_most", lost.worst},
                     {"lost_on_average", lost.mean}});
  }
  return {{"interface", curve.interface},
          {"era", curve.era},
          {"machine", curve.machine},
          {"limit", curve.limit()},
          {"steps", std::move(steps)}};
}

Json json_of(const fuzz::LargestRequests& found) {
  Json requests = Json::array();
  for (const fuzz::Largest& l : found.requests)
    requests.push_back({{"interface", l.interface},
                        {"granted", l.granted},
                        {"documented", l.documented},
                        {"documented_as", l.documented_as},
                        {"buddyinfo", l.buddyinfo}});
  return {{"machine", found.machine},
          {"buddyinfo", found.buddyinfo},
          {"requests", std::move(requests)}};
}

void print(const ShowOptions& options, Json content) {
  say(dump({{"what", options.what}, {"error", nullptr}, {"content", std::move(content)}}));
}

}  // namespace

int show_waste(const ShowOptions& options) {
  const std::vector<fuzz::WasteCurve> curves = fuzz::waste_curves();
  if (options.json) {
    Json content = Json::array();
    for (const fuzz::WasteCurve& curve : curves) content.push_back(json_of(curve));
    print(options, std::move(content));
  } else {
    say(options.svg ? fuzz::waste_svg(curves) : fuzz::waste_text(curves));
  }
  return exit_clean;
}

int show_limits(const ShowOptions& options) {
  std::vector<std::string> machines(usual_machines.begin(), usual_machines.end());
  if (!options.source.machine.empty()) machines = {options.source.machine};
  Json content = Json::array();
  std::string text;
  for (const std::string& machine : machines) {
    const auto config = named_machine(machine);
    if (!config) {
      if (options.json)
        say(dump({{"what", options.what}, {"file", ""}, {"error", json_of(config.error())}}));
      complain(config.error().text());
      return exit_cannot_test;
    }
    const fuzz::LargestRequests found = fuzz::largest_requests(*config);
    text += (text.empty() ? "" : "\n") + fuzz::largest_text(found);
    content.push_back(json_of(found));
  }
  if (options.json) print(options, std::move(content));
  else say(text);
  return exit_clean;
}

}  // namespace cli
