// A main for a fuzz target without libFuzzer: runs files or stdin, mutates without coverage,
// measures.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/standalone/target_functions.hpp"
#include "props/core/domain.hpp"
#include "props/core/random.hpp"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr int exit_cannot_test = 125;
constexpr std::size_t input_max = 1u << 20;  // as `allocheck replay --bytes` has it
constexpr std::size_t pool_max = 1024;

struct Options {
  std::vector<std::string> files;
  std::uint64_t seed = 1, runs = 0, max_len = 2048;
  bool bench = false;
};

constexpr const char* usage_text =
    "usage: %s [FILE...]                    runs inputs, folders of inputs; none, or -: stdin\n"
    "       %s --runs N [--seed N] [--max-len N] [FILE...]\n"
    "                                       then runs N mutants of them, without coverage\n"
    "       %s --bench                      executions a second of CPU time, by operations\n"
    "A rule that breaks is told on stderr and ends in SIGABRT; a mutant that did it is left in\n"
    "crash-standalone. Exit codes: 0 nothing broke, 125 bad usage, or an input cannot be read.\n";

int complain(const std::string& what, const std::string& expected) {
  std::fprintf(stderr, "%s; expected %s\n", what.c_str(), expected.c_str());
  return exit_cannot_test;
}

// What runs now, for whoever looks at our death.
const std::uint8_t* running = nullptr;
std::size_t running_size = 0;

extern "C" void keep_what_runs(int signal_number) {
  const int fd = open("crash-standalone", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  constexpr char told[] = "the input is in crash-standalone\n", lost[] = "the input is lost\n";
  const bool kept = fd >= 0 && write(fd, running, running_size) == ssize_t(running_size);
  const ssize_t ignored = kept ? write(STDERR_FILENO, told, sizeof told - 1)
                               : write(STDERR_FILENO, lost, sizeof lost - 1);
  static_cast<void>(ignored);
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

void run(const Bytes& input) {
  running = input.data(), running_size = input.size();
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

// The whole of a file that is no larger than an input may be, or words.
std::optional<std::string> read_all(int fd, Bytes& input) {
  struct stat status{};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
      static_cast<std::uint64_t>(status.st_size) > input_max)
    return std::to_string(status.st_size) + " bytes";
  input.clear();
  for (;;) {
    const std::size_t at = input.size();
    input.resize(at + (1u << 16));
    const ssize_t got = read(fd, input.data() + at, 1u << 16);
    input.resize(at + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::strerror(errno);
    if (got == 0) return std::nullopt;
    if (input.size() > input_max) return "more than " + std::to_string(input_max) + " bytes";
  }
}

bool run_file(const std::string& name, std::vector<Bytes>& pool) {
  const int fd = name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
  Bytes input;
  const auto bad = fd < 0 ? std::optional<std::string>(std::strerror(errno)) : read_all(fd, input);
  if (fd > STDIN_FILENO) close(fd);
  if (bad) {
    complain(name + ": " + *bad, "an input of at most " + std::to_string(input_max) + " bytes");
    return false;
  }
  run(input);
  if (pool.size() < pool_max) pool.push_back(std::move(input));
  return true;
}

std::vector<std::string> files_of(const std::vector<std::string>& named) {
  std::vector<std::string> files;
  for (const std::string& name : named) {
    std::error_code ignored;
    if (!fs::is_directory(name, ignored)) {
      files.push_back(name);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(name, ignored))
      if (entry.is_regular_file(ignored)) files.push_back(entry.path().string());
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

Bytes drawn_input(std::uint64_t seed, std::size_t steps) {
  Bytes input(steps * 16 + 256);
  input.resize(
      allocheck_draw_input(input.data(), input.size(), static_cast<unsigned>(seed), steps));
  return input;
}

// Mutants of mutants: some take the place of an input in the pool.
void mutate_pool(std::vector<Bytes>& pool, const Options& options) {
  props::Random random(options.seed);
  while (pool.size() < 64) pool.push_back(drawn_input(random.next(), 8 + random.below(64)));
  Bytes input;
  for (std::uint64_t i = 0; i < options.runs; ++i) {
    const Bytes& parent = pool[random.below(pool.size())];
    const Bytes& other = pool[random.below(pool.size())];
    const auto seed = static_cast<unsigned>(random.next());
    input.assign(options.max_len, 0);
    std::size_t size =
        random.chance(4) ? LLVMFuzzerCustomCrossOver(parent.data(), parent.size(), other.data(),
                                                     other.size(), input.data(), input.size(), seed)
                         : 0;
    if (size == 0) {
      size = std::min<std::size_t>(parent.size(), input.size());
      std::copy_n(parent.begin(), size, input.begin());
      size = LLVMFuzzerCustomMutator(input.data(), size, input.size(), seed);
    }
    input.resize(size);
    run(input);
    if (random.chance(16)) pool[random.below(pool.size())] = input;
  }
  std::fprintf(stderr, "ran %llu mutants of seed %llu\n",
               static_cast<unsigned long long>(options.runs),
               static_cast<unsigned long long>(options.seed));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The target alone, on traces that the swarm would draw, without an engine's bookkeeping.
void bench() {
  std::printf("%10s %14s %14s %14s\n", "operations", "executions/s", "operations/s", "bytes/input");
  for (const std::size_t steps : {std::size_t{16}, std::size_t{64}, std::size_t{256}}) {
    std::vector<Bytes> inputs;
    std::size_t bytes = 0;
    for (std::uint64_t seed = 0; seed < 128; ++seed) {
      inputs.push_back(drawn_input(seed, steps));
      bytes += inputs.back().size();
    }
    for (const Bytes& input : inputs) run(input);  // boots every machine
    std::uint64_t executions = 0;
    const double start = cpu_seconds();
    double now = start;
    for (; now - start < 2; now = cpu_seconds())
      for (const Bytes& input : inputs) run(input), ++executions;
    const double rate = static_cast<double>(executions) / (now - start);
    std::printf("%10zu %14.0f %14.0f %14zu\n", steps, rate, rate * double(steps),
                bytes / inputs.size());
    std::fflush(stdout);
  }
}

// False: what was wrong has been said.
bool read_number(const char* name, const char* text, std::uint64_t max, std::uint64_t& to) {
  const auto n = props::parse_number(text == nullptr ? "" : text, max);
  if (n) to = *n;
  else complain(std::string("bad ") + name + " '" + (text == nullptr ? "" : text) + "'", n.error());
  return n.has_value();
}

std::optional<int> read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&](std::uint64_t max, std::uint64_t& to) {
      return read_number(word.c_str(), i + 1 < argc ? argv[++i] : nullptr, max, to);
    };
    bool good = true;
    if (word == "--help" || word == "-h") {
      std::printf(usage_text, argv[0], argv[0], argv[0]);
      return 0;
    }
    if (word == "--seed") good = number(UINT64_MAX, options.seed);
    else if (word == "--runs") good = number(UINT64_MAX, options.runs);
    else if (word == "--max-len") good = number(input_max, options.max_len);
    else if (word == "--bench") options.bench = true;
    else if (word.size() > 1 && word[0] == '-')
      return complain("unknown option '" + word + "'", "what --help says");
    else options.files.push_back(word);
    if (!good) return exit_cannot_test;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto code = read_options(argc, argv, options)) return *code;
  if (options.bench) {
    bench();
    return 0;
  }
  std::vector<Bytes> pool;
  if (options.files.empty() && options.runs == 0) options.files.emplace_back("-");
  bool all_read = true;
  for (const std::string& file : files_of(options.files))
    all_read = run_file(file, pool) && all_read;
  if (options.runs > 0) {
    for (const int deadly : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP})
      std::signal(deadly, keep_what_runs);
    mutate_pool(pool, options);
  }
  return all_read ? 0 : exit_cannot_test;
}
