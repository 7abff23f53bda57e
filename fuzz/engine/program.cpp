// Runs a program in a process group of its own.
#include "fuzz/engine/program.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace fuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double look_every = 0.1;  // seconds between two looks at the memory

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

// The group that a process belongs to; 0 when it is gone.
pid_t group_of(const fs::path& process) {
  std::ifstream in(process / "stat");
  std::string text;
  std::getline(in, text);
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  int parent = 0, group = 0;
  char state = 0;
  if (name_end == text.npos ||
      std::sscanf(text.c_str() + name_end + 1, " %c %d %d", &state, &parent, &group) != 3)
    return 0;
  return group;
}

std::uint64_t resident_bytes_of_group(pid_t group) {
  std::uint64_t sum = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc{} || *end != '\0') continue;
    if (group_of(entry.path()) == group) sum += resident_bytes(process);
  }
  return sum;
}

[[noreturn]] void become(const Program& program, int output) {
  ::setpgid(0, 0);
  ::dup2(output, STDOUT_FILENO);
  for (const auto& [name, value] : program.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> words = program.words;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  write_all(STDERR_FILENO, fmt::format("{} cannot be started\n", words[0]));
  ::_exit(127);
}

// What the pipe still holds. Nobody is waited for: whoever left the group may hold its other end.
void drain(const Fd& from, std::string& to) {
  pollfd wait{from.get(), POLLIN, 0};
  while (from.open() && to.size() <= 2 * ProgramEnd::output_max && ::poll(&wait, 1, 0) > 0 &&
         read_some(from.get(), to)) {}
}

// Kills the group when it is over a limit.
void watch(const Program& program, pid_t group, Clock::time_point start, Clock::time_point& looked,
           Stopper& stopper) {
  if (stopper != Stopper::itself) return;
  if (seconds_since(start) > program.seconds) stopper = Stopper::watchdog;
  if (seconds_since(looked) > look_every) {
    looked = Clock::now();
    if (resident_bytes_of_group(group) > program.memory_bytes) stopper = Stopper::memory;
  }
  if (stopper != Stopper::itself) ::kill(-group, SIGKILL);
}

}  // namespace

bool ProgramEnd::exited(int code) const {
  return stopper == Stopper::itself && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

std::string ProgramEnd::text() const {
  if (stopper == Stopper::watchdog) return "did not end in time";
  if (stopper == Stopper::memory) return "took too much memory";
  return WIFSIGNALED(status) ? fmt::format("died of signal {}", WTERMSIG(status))
                             : fmt::format("ended with code {}", WEXITSTATUS(status));
}

ProgramEnd run_program(const Program& program) {
  Pipe output = make_pipe(), errors = make_pipe();
  const auto start = Clock::now();
  const pid_t child = spawn([&] { become(program, output.write.get()); }, errors.write.get());
  ::setpgid(child, child);  // whoever of us two comes first
  output.write.close(), errors.write.close();
  ProgramEnd end;
  Tail tail;
  auto looked = start;
  // The program may end and leave others that hold the pipes: then its end is enough.
  bool running = true;
  while (running) {
    std::array<pollfd, 2> wait{{{output.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), 20);
    siginfo_t gone{};
    ::waitid(P_PID, static_cast<id_t>(child), &gone, WEXITED | WNOHANG | WNOWAIT);
    running = gone.si_pid == 0;
    if (wait[0].revents != 0 && !read_some(output.read.get(), end.output)) output.read.close();
    if (end.output.size() > 2 * ProgramEnd::output_max)
      end.output.erase(0, end.output.size() - ProgramEnd::output_max);
    std::string text;
    if (wait[1].revents != 0 && !read_some(errors.read.get(), text)) errors.read.close();
    tail.add(text);
    watch(program, child, start, looked, end.stopper);
  }
  ::kill(-child, SIGKILL);  // whatever it left behind
  end.status = wait_for(child);
  std::string text;
  drain(errors.read, text);
  drain(output.read, end.output);
  tail.add(text);
  end.errors = tail.last();
  return end;
}

}  // namespace fuzz
