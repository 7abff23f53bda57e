// Reads and writes the state of a search.
#include "fuzz/cli/fuzz_resume.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>

#include "fuzz/cli/input.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/engine/failures.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr unsigned state_format = 1;
constexpr std::size_t state_bytes_max = 16u << 20;

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::uint64_t number_of_hex(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("bad hex digits");
  return n;
}

std::string bytes_of_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes += static_cast<char>(number_of_hex(text.substr(i, 2)));
  return bytes;
}

Json json_of(const fuzz::SwarmProgress& p) {
  Json broken = Json::array();
  for (const auto& one : p.broken)
    broken.push_back({{"rule", one.rule}, {"runs", one.runs}, {"handed_over", one.handed_over}});
  return {{"next_run", p.next_run},           {"runs", p.runs},   {"operations", p.operations},
          {"digest", fuzz::hex_of(p.digest)}, {"broken", broken}, {"reach", hex(p.reach)}};
}

fuzz::SwarmProgress swarm_of(const Json& json) {
  fuzz::SwarmProgress p{json.at("next_run"), json.at("runs"), json.at("operations"), {}, {}, {}};
  const std::string digest = json.at("digest");
  p.digest = {number_of_hex(digest.substr(16)), number_of_hex(digest.substr(0, 16))};
  if (fuzz::hex_of(p.digest) != digest) throw std::invalid_argument("bad digest");
  for (const Json& one : json.at("broken"))
    p.broken.push_back({one.at("rule"), one.at("runs"), one.at("handed_over")});
  p.reach = bytes_of_hex(json.at("reach").get<std::string>());
  return p;
}

Json json_of(const LayerState& l) {
  return {{"name", l.name},
          {"identity", l.identity},
          {"swarm_done", l.swarm_done},
          {"done", l.done},
          {"used_swarm", l.used_swarm},
          {"used_libfuzzer", l.used_libfuzzer},
          {"seconds", l.seconds},
          {"swarm_seconds", l.swarm_seconds},
          {"libfuzzer_seconds", l.libfuzzer_seconds},
          {"swarm", json_of(l.swarm)},
          {"executions", l.executions},
          {"coverage", l.coverage},
          {"restarts", l.restarts}};
}

LayerState layer_of(const Json& json) {
  return {json.at("name"),
          json.at("identity"),
          json.at("swarm_done"),
          json.at("done"),
          json.at("used_swarm"),
          json.at("used_libfuzzer"),
          json.at("seconds"),
          json.at("swarm_seconds"),
          json.at("libfuzzer_seconds"),
          swarm_of(json.at("swarm")),
          json.at("executions"),
          json.at("coverage"),
          json.at("restarts")};
}

SearchState state_of(const Json& json) {
  SearchState s{json.at("seed"),
                json.at("runs"),
                json.at("operations"),
                json.at("first_run"),
                json.at("judge"),
                json.at("require_reach"),
                json.at("seconds"),
                json.at("swarm"),
                json.at("libfuzzer"),
                json.at("asked_libfuzzer"),
                json.at("machine"),
                json.at("out"),
                {},
                {}};
  if (s.judge >= fuzz::judge_names.size()) throw std::invalid_argument("bad judge");
  for (const Json& layer : json.at("layers")) s.layers.push_back(layer_of(layer));
  for (const Json& f : json.at("findings"))
    s.findings.push_back(
        {f.at("layer"), f.at("engine"), f.at("rule"), f.at("directory"), f.at("count")});
  return s;
}

// What another version, or another set of operations and rules, left behind.
std::optional<std::string> other_version(const Json& json) {
  const auto said = [&](const char* key) {
    return json.contains(key) ? json[key].dump() : std::string("nothing");
  };
  if (json.value("format", Json()) != state_format)
    return fmt::format("format is {}; expected {}: a search of this allocheck", said("format"),
                       state_format);
  if (json.value("allocheck", Json()) != ALLOCHECK_VERSION)
    return fmt::format("it is of allocheck {}; expected a search of " ALLOCHECK_VERSION,
                       said("allocheck"));
  return std::nullopt;
}

std::optional<std::string> other_layers(const SearchState& state) {
  for (const LayerState& l : state.layers) {
    const fuzz::Layer* layer = fuzz::find_layer(l.name);
    if (layer == nullptr)
      return fmt::format("unknown layer '{}'; expected one that is here", l.name);
    const bool same = l.identity == identity_of(*layer) &&
                      (l.swarm.reach.empty() || l.swarm.reach.size() == layer->reach_bytes);
    if (!same)
      return fmt::format("layer {} had other operations or rules; expected a search of this build",
                         l.name);
  }
  return std::nullopt;
}

}  // namespace

std::string identity_of(const fuzz::Layer& layer) {
  std::string all;
  for (const fuzz::OperationDescription& op : layer.language()) {
    all += fmt::format("{} {}\n", op.code, op.form());
    for (const fuzz::OperationField& field : op.fields) all += field.values + "\n";
  }
  for (const props::Rule& rule : layer.rules()) all += fmt::format("{}\n", rule.id);
  return fuzz::short_hash(all);
}

fs::path resume_directory(const fs::path& out, std::uint64_t seed, std::uint64_t first_run) {
  const std::string part = first_run == 0 ? "" : fmt::format("-{}", first_run);
  return out / ".resume" / fmt::format("{}{}", seed, part);
}

fs::path newest_resume(const fs::path& out) {
  fs::path newest;
  fs::file_time_type when;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(out / ".resume", ignored)) {
    const auto time = fs::last_write_time(entry.path() / "state.json", ignored);
    if (ignored || (!newest.empty() && time <= when)) continue;
    newest = entry.path();
    when = time;
  }
  return newest;
}

std::expected<SearchState, std::string> read_state(const fs::path& directory) {
  const std::string file = (directory / "state.json").string();
  const auto wrong = [&](const std::string& what) {
    return std::unexpected(fmt::format("{}: {}", file, what));
  };
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) return wrong(error.message() + "; expected the folder of an interrupted search");
  if (size > state_bytes_max)
    return wrong(fmt::format("{} bytes; expected at most {}", size, state_bytes_max));
  std::ifstream in(file);
  const Json json = Json::parse(in, nullptr, false);
  if (!json.is_object()) return wrong("no JSON object; expected the state of a search");
  if (const auto bad = other_version(json)) return wrong(*bad);
  try {
    SearchState state = state_of(json);
    if (const auto bad = other_layers(state)) return wrong(*bad);
    return state;
  } catch (const std::exception& bad) {
    return wrong(fmt::format("{}; expected the state as it was written", bad.what()));
  }
}

std::optional<std::string> write_state(const fs::path& directory, const SearchState& s) {
  Json json{{"format", state_format},
            {"allocheck", ALLOCHECK_VERSION},
            {"seed", s.seed},
            {"runs", s.runs},
            {"operations", s.operations},
            {"first_run", s.first_run},
            {"judge", s.judge},
            {"require_reach", s.require_reach},
            {"seconds", s.seconds},
            {"swarm", s.swarm},
            {"libfuzzer", s.libfuzzer},
            {"asked_libfuzzer", s.asked_libfuzzer},
            {"machine", s.machine},
            {"out", s.out}};
  json["layers"] = json["findings"] = Json::array();
  for (const LayerState& layer : s.layers) json["layers"].push_back(json_of(layer));
  for (const FindingState& f : s.findings)
    json["findings"].push_back({{"layer", f.layer},
                                {"engine", f.engine},
                                {"rule", f.rule},
                                {"directory", f.directory},
                                {"count", f.count}});
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fmt::format("cannot create {}: {}", directory.string(), error.message());
  return fuzz::write_durably(directory / "state.json", json.dump(1) + "\n");
}

}  // namespace cli
