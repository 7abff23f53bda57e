// fuzz_search: the phases of a search and what came of them.
//
//   layer   |── swarm ──|────── coverage-guided ──────|─ minimizing ─|
//   time    0          1/4                             only if there is something to minimize
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/cli/fuzz_resume.hpp"
#include "fuzz/cli/progress.hpp"
#include "fuzz/engine/hunt.hpp"
#include "fuzz/engine/libfuzzer.hpp"

namespace cli {

struct SearchPlan {
  std::vector<const fuzz::Layer*> layers;
  bool swarm = true, libfuzzer = true;
  bool uniform = false;          // instead of the swarm
  bool asked_libfuzzer = false;  // by name
  bool seeds = true;             // libfuzzer begins with the corpus
  bool stop_at_first = false;    // the time counts anew for minimizing what was found
  double seconds = 60;           // for all layers, when the clock ends the search
  std::uint64_t runs = 0;        // for each layer; 0: no limit
  std::uint64_t operations = 0;  // for each layer; 0: no limit
  std::uint64_t first_run = 0;
  std::uint64_t seed = 0;
  fuzz::Judge judge = fuzz::Judge::mixed;
  bool require_reach = false;
  bool by_clock() const { return runs == 0 && operations == 0; }
  std::optional<ref::core::Config> machine;

  std::string_view swarm_name() const { return uniform ? "uniform" : "swarm"; }
};

struct LayerOutcome {
  const fuzz::Layer* layer = nullptr;
  fuzz::SwarmResult swarm;
  fuzz::LibFuzzerResult libfuzzer;
  bool used_swarm = false, used_libfuzzer = false;
};

class Search {
 public:
  // Keeps its state in `kept`, and goes on from what it holds already; see fuzz_resume.hpp.
  Search(const SearchPlan& plan, const fuzz::Failures& failures, std::filesystem::path kept,
         SearchState state);
  // All phases of all layers, until the end, an interrupt, or a finding that cannot be stored.
  void run();

  const std::vector<LayerOutcome>& outcomes() const { return outcomes_; }
  const SearchPlan& plan() const { return plan_; }
  const fuzz::Hunt& hunt() const { return hunt_; }
  const std::vector<std::string>& notes() const { return notes_; }
  double seconds() const;
  // That the engines had used when the first rule broke; nothing when none did.
  std::optional<double> first_violation_cpu_seconds() const { return first_cpu_; }

 private:
  bool stopping() const { return interrupted() || !hunt_.error().empty(); }
  double left() const;         // seconds of this layer's time
  double search_left() const;  // the same, less what minimizing will need
  bool found_enough() const { return plan_.stop_at_first && !hunt_.empty(); }
  void run_layer(const fuzz::Layer&);
  void run_swarm(LayerOutcome&, bool alone);
  void run_libfuzzer(LayerOutcome&, const std::filesystem::path& target);
  std::filesystem::path usable_target(const fuzz::Layer&);
  std::string time_text() const;
  void take_earlier_findings();
  void keep();  // the state, on the disk
  bool all_done() const;

  const SearchPlan& plan_;
  fuzz::Hunt hunt_;
  Progress progress_;
  const std::filesystem::path kept_;
  SearchState state_;
  LayerState* layer_ = nullptr;  // of the layer that is searched now
  bool keeps_ = true;            // until the disk refuses
  double layer_begin_ = 0;       // as if there had been no break
  std::vector<LayerOutcome> outcomes_;
  std::vector<std::string> notes_;
  const double start_;
  double layer_seconds_ = 0, layer_end_ = 0;
  double cpu_ = 0;  // of the engines that are done
  std::optional<double> first_cpu_;
};

}  // namespace cli
