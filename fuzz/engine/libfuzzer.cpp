// Runs an instrumented target, reads what it says, and collects what it leaves.
#include "fuzz/engine/libfuzzer.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <set>

#include "fuzz/engine/failures.hpp"
#include "fuzz/engine/process.hpp"
#include "fuzz/engine/work_directory.hpp"
#include "props/core/random.hpp"

namespace fuzz {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The number behind a word, wherever that stands in the line.
std::optional<std::uint64_t> number_behind(std::string_view line, std::string_view word) {
  const std::size_t at = line.find(word);
  if (at == line.npos) return std::nullopt;
  std::string_view rest = line.substr(at + word.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  std::uint64_t n = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), n).ec != std::errc{})
    return std::nullopt;
  return n;
}

// What the target's last words say.
RunResult read_death(const Tail& tail, int status) {
  RunResult seen = result_of_death(Stopper::itself, status, tail, {});
  const std::string text = tail.last();
  constexpr std::string_view token = "DEDUP_TOKEN: ";
  if (const std::size_t at = text.rfind(token); at != text.npos) {
    const std::size_t begin = at + token.size();
    const std::string word = text.substr(begin, text.find_first_of("\n ", begin) - begin);
    // A sanitizer prints tokens too: names of functions, which are no rules.
    if (!word.empty() && std::ranges::all_of(word, [](char c) {
          return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        })) {
      seen.end = RunResult::End::violation;
      seen.rule = word;
    }
  } else if (text.find("ERROR: libFuzzer: timeout") != text.npos) {
    seen.end = RunResult::End::timeout;
    seen.rule = "RUN-HANG";
  } else if (text.find("ERROR: libFuzzer: out-of-memory") != text.npos) {
    seen.end = RunResult::End::out_of_memory;
  }
  return seen;
}

class Session {
 public:
  Session(const Layer& layer, const LibFuzzerOptions& options)
      : layer_(layer),
        options_(options),
        corpus_(options.corpus.empty() ? work_.path() / "corpus" : options.corpus),
        executions_before_(options.executions_before),
        restarts_(options.restarts_before) {}

  LibFuzzerResult run() {
    if (work_.path().empty()) {
      result_.note = "no temporary directory can be made";
      return result_;
    }
    fill_corpus();
    int in_vain = 0;  // ends that told nothing new, in a row
    while (going_on()) {
      const int status = run_target();
      if (result_.stopped || status == 0 || WEXITSTATUS(status) == 72) break;
      in_vain = collect(status) ? 0 : in_vain + 1;
      ++restarts_;
      if (in_vain == in_vain_max) {
        result_.note = fmt::format("{} stopped: it ended {} times in a row with what is known",
                                   options_.target.filename().string(), in_vain_max);
        break;
      }
    }
    result_.executions = executions_before_ + status_.executions;
    result_.restarts = restarts_;
    result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return result_;
  }

 private:
  static constexpr int in_vain_max = 5;
  static constexpr std::size_t line_max = 4096;  // a subject may write without end

  bool going_on() {
    if (options_.stop && options_.stop()) result_.stopped = true;
    if (result_.stopped) return false;
    if (options_.runs != 0) return executions_before_ + status_.executions < options_.runs;
    return options_.seconds_left() >= 1;
  }

  void fill_corpus() {
    fs::create_directories(corpus_);
    std::error_code ignored;
    for (const fs::path& directory : options_.corpora)
      for (fs::recursive_directory_iterator it(directory, ignored), end; it != end;
           it.increment(ignored)) {
        if (it->path().extension() != ".trace") continue;
        const auto bytes = layer_.bytes_of_text(read_file(it->path()));
        if (bytes.empty()) continue;
        const std::string text(bytes.begin(), bytes.end());
        std::ofstream(corpus_ / short_hash(text), std::ios::binary) << text;
      }
  }

  std::vector<std::string> command() const {
    std::vector<std::string> words{options_.target.string(),
                                   corpus_.string(),
                                   "-timeout=10",
                                   "-rss_limit_mb=4096",
                                   "-print_final_stats=1",
                                   "-max_len=4096",
                                   fmt::format("-artifact_prefix={}/", work_.path().string()),
                                   fmt::format("-seed={}", seed())};
    if (options_.runs != 0)
      words.push_back(fmt::format("-runs={}", options_.runs - executions_before_));
    else words.push_back(fmt::format("-max_total_time={}", whole_seconds()));
    return words;
  }

  // It rounds up, and takes a while to end.
  std::uint64_t whole_seconds() const {
    return static_cast<std::uint64_t>(std::max(options_.seconds_left() - 0.5, 1.0));
  }

  // libFuzzer takes 32 bits, and 0 for a seed of its own choice.
  std::uint32_t seed() const {
    return static_cast<std::uint32_t>(props::seed_of_run(options_.seed, restarts_)) | 1u;
  }

  // Until the target ends; the wait status.
  int run_target() {
    executions_before_ += status_.executions;
    status_.executions = 0;
    std::vector<std::string> words = command();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    Pipe errors = make_pipe();
    const pid_t target = spawn(
        [&] {
          ::execv(arguments[0], arguments.data());
          const std::string_view why = "REQUIRE the target can be started\n";
          write_all(STDERR_FILENO, why);
          ::_exit(127);
        },
        errors.write.get());
    errors.write.close();
    tail_ = {};
    std::string line;
    std::optional<Clock::time_point> asked;
    while (errors.read.open()) {
      pollfd wait{errors.read.get(), POLLIN, 0};
      ::poll(&wait, 1, 100);
      if (wait.revents != 0) read_output(errors.read, line);
      tell();
      if (!asked && ((options_.stop && options_.stop()) || overdue())) {
        result_.stopped = !overdue();
        asked = Clock::now();
        ::kill(target, SIGTERM);
      } else if (asked && Clock::now() - *asked > std::chrono::seconds(2)) {
        ::kill(target, SIGKILL);
      }
    }
    double cpu_seconds = 0;
    const int status = wait_for(target, &cpu_seconds);
    result_.cpu_seconds += cpu_seconds;
    return status;
  }

  // The target looks at its clock between inputs only.
  bool overdue() const { return options_.runs == 0 && options_.seconds_left() < -0.5; }

  void read_output(Fd& from, std::string& line) {
    std::string text;
    if (!read_some(from.get(), text)) from.close();
    tail_.add(text);
    for (const char c : text) {
      if (c != '\n') {
        if (line.size() < line_max) line += c;
        continue;
      }
      read_status_line(line, status_);
      result_.coverage = std::max(result_.coverage, status_.coverage);
      line.clear();
    }
  }

  void tell() {
    if (!options_.status || Clock::now() - told_ < std::chrono::seconds(1)) return;
    told_ = Clock::now();
    LibFuzzerStatus all = status_;
    all.executions += executions_before_;
    all.coverage = result_.coverage;
    all.restarts = restarts_;
    options_.status(all);
  }

  // Hands on what the target left. True when its rule is new.
  bool collect(int status) {
    RunResult seen = read_death(tail_, status);
    const bool known = !rules_.insert(seen.rule).second;
    bool left = false;
    for (const auto& entry : fs::directory_iterator(work_.path())) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("crash-") && !name.starts_with("timeout-") && !name.starts_with("oom-"))
        continue;
      left = true;
      if (!result_.found_at_cpu_seconds) result_.found_at_cpu_seconds = result_.cpu_seconds;
      const std::string bytes = read_file(entry.path());
      std::error_code ignored;
      fs::remove(entry.path(), ignored);
      if (known) options_.found_again(seen.rule);
      else
        options_.found(layer_.text_of_bytes(
                           {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}),
                       seen);
    }
    if (!left && result_.note.empty())
      result_.note = fmt::format("{} ended without leaving an input: {}",
                                 options_.target.filename().string(), seen.actual);
    return !known && left;
  }

  const Layer& layer_;
  const LibFuzzerOptions& options_;
  WorkDirectory work_;
  fs::path corpus_;
  std::uint64_t executions_before_, restarts_;
  LibFuzzerResult result_;
  LibFuzzerStatus status_;
  std::set<std::string> rules_;
  Tail tail_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point told_ = start_;
};

}  // namespace

void read_status_line(std::string_view line, LibFuzzerStatus& status) {
  if (const auto n = number_behind(line, "stat::number_of_executed_units:")) status.executions = *n;
  if (!line.starts_with('#')) return;
  if (const auto n = number_behind(line, "#")) status.executions = *n;
  if (const auto n = number_behind(line, " cov: ")) status.coverage = *n;
  if (const auto n = number_behind(line, " exec/s: ")) status.rate = *n;
}

fs::path target_of(const Layer& layer) {
  std::error_code error;
  const fs::path command = fs::read_symlink("/proc/self/exe", error);
  return command.parent_path().parent_path() / "fuzz" / fmt::format("{}_fuzz", layer.name);
}

LibFuzzerResult run_libfuzzer(const Layer& layer, const LibFuzzerOptions& options) {
  return Session(layer, options).run();
}

}  // namespace fuzz
