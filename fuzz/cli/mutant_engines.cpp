// The table of engines, and where their programs are.
#include "fuzz/cli/mutant_engines.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "fuzz/engine/program.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array engines{
    MutantEngine{"swarm", "typed random operations, each run with weights and a length of its own",
                 "fuzz", "--engine swarm --stop-at-first", "", false, 0.1, 10},
    MutantEngine{"libfuzzer", "coverage-guided, from an empty corpus", "fuzz",
                 "--engine libfuzzer --no-seeds --stop-at-first", "", true, 2, 30},
    MutantEngine{"check", "the properties, by RapidCheck", "check", "--stop-at-first", "", false},
    MutantEngine{"uniform", "baseline: the swarm with even weights and one length", "fuzz",
                 "--engine uniform --stop-at-first", "", false},
    MutantEngine{"bytes", "baseline: libfuzzer, which changes bytes and knows no operations",
                 "fuzz", "--engine libfuzzer --no-seeds --stop-at-first", "bytes", true},
};

const MutantEngine* find_engine(std::string_view name) {
  const auto found = std::ranges::find(engines, name, &MutantEngine::name);
  return found == engines.end() ? nullptr : &*found;
}

std::string engine_names() {
  std::string names;
  for (const MutantEngine& engine : engines)
    names += (names.empty() ? "" : ", ") + std::string(engine.name);
  return names;
}

bool holds_word(const fs::path& file, std::string_view word) {
  std::ifstream in(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  return all.find(word) != all.npos;
}

// Why the engine cannot be used here; "" if it can.
std::string missing(const MutantEngine& engine, const BuildTree& tree) {
  if (engine.needs_target && tree.fuzz.empty())
    return fmt::format("engine {} is not built; expected a finished ci/build fuzz-plain",
                       engine.name);
  if (engine.verb != "fuzz" &&
      !fuzz::run_program({{tree.command, std::string(engine.verb), "--help"}, {}}).exited(0))
    return fmt::format("engine {} is not built: this command has no verb {}; expected one of: {}",
                       engine.name, engine.verb, engine_names());
  if (!engine.mutate.empty())
    for (const auto& entry : fs::directory_iterator(tree.fuzz))
      if (entry.path().filename().string().ends_with("_fuzz") &&
          !holds_word(entry.path(), "ALLOCHECK_MUTATE"))
        return fmt::format(
            "engine {} is not built: {} knows no ALLOCHECK_MUTATE; expected one of: {}",
            engine.name, entry.path().filename().string(), engine_names());
  return "";
}

}  // namespace

std::span<const MutantEngine> mutant_engines() { return engines; }

std::string mutant_engine_text() {
  std::string text;
  for (const MutantEngine& engine : engines)
    text += fmt::format("  {:<15}  {}\n", engine.name, engine.meaning);
  return text;
}

std::expected<BuildTree, std::string> find_build_tree() {
  std::error_code error;
  BuildTree tree;
  tree.command = fs::read_symlink("/proc/self/exe", error);
  tree.build = tree.command.parent_path();
  std::ifstream cache(tree.build / "CMakeCache.txt");
  constexpr std::string_view key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
  for (std::string line; std::getline(cache, line);)
    if (line.starts_with(key)) tree.root = line.substr(key.size());
  if (::access((tree.root / "ci/mutant").c_str(), X_OK) != 0)
    return std::unexpected(
        fmt::format("{} is not in the build directory of its sources; expected the command that "
                    "ci/build release makes",
                    tree.command.string()));
  for (const char* preset : {"fuzz-plain", "fuzz"}) {
    const fs::path folder = tree.build.parent_path() / preset;
    if (std::ranges::all_of(fuzz::layers(), [&](const fuzz::Layer& layer) {
          return ::access((folder / fmt::format("{}_fuzz", layer.name)).c_str(), X_OK) == 0;
        })) {
      tree.fuzz = folder;
      break;
    }
  }
  return tree;
}

std::expected<std::vector<const MutantEngine*>, std::string> wanted_engines(std::string_view list,
                                                                            const BuildTree& tree) {
  std::vector<const MutantEngine*> wanted;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string_view word = list.substr(at, end - at);
    const MutantEngine* engine = find_engine(word);
    if (engine == nullptr)
      return std::unexpected(
          fmt::format("unknown engine '{}'; expected one of: {}", word, engine_names()));
    if (std::ranges::find(wanted, engine) == wanted.end()) wanted.push_back(engine);
    at = end + 1;
  }
  for (const MutantEngine* engine : wanted)
    if (const std::string why = missing(*engine, tree); !why.empty()) return std::unexpected(why);
  return wanted;
}

}  // namespace cli
