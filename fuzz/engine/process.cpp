// Forking, pipes and the reading of deaths.
#include "fuzz/engine/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace fuzz {
namespace {

constexpr std::size_t tail_bytes = 4096;
constexpr std::size_t tail_kept = 16 * tail_bytes;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void Fd::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_all(int fd, char* to, std::size_t count) {
  while (count > 0) {
    const ssize_t n = ::read(fd, to, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    count -= static_cast<std::size_t>(n);
  }
  return true;
}

bool read_some(int fd, std::string& to) {
  std::array<char, 8192> buffer;
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  to.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

void Tail::add(std::string_view bytes) {
  bytes_ += bytes;
  constexpr std::string_view word = "REQUIRE ";
  const std::size_t at = bytes_.starts_with(word) ? 0 : bytes_.find("\n" + std::string(word));
  if (require_.empty() && at != bytes_.npos) {
    const std::size_t begin = at + word.size() + (bytes_[at] == '\n' ? 1 : 0);
    const std::size_t end = bytes_.find('\n', begin);
    if (end != bytes_.npos) require_ = bytes_.substr(begin, end - begin);
  }
  if (bytes_.size() > 2 * tail_kept) bytes_.erase(0, bytes_.size() - tail_kept);
}

std::string Tail::last() const {
  if (bytes_.size() <= tail_bytes) return bytes_;
  return bytes_.substr(bytes_.size() - tail_bytes);
}

pid_t spawn(const std::function<void()>& body, int errors) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  ::signal(SIGPIPE, SIG_IGN);  // a child that died must not take us along
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before we asked
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere >= 0) {
    ::dup2(nowhere, STDIN_FILENO);
    ::dup2(nowhere, STDOUT_FILENO);
  }
  ::dup2(errors, STDERR_FILENO);
  body();
  ::_exit(0);
}

int wait_for(pid_t pid, double* cpu_seconds) {
  int status = 0;
  rusage used{};
  while (::wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {}
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  if (cpu_seconds != nullptr) *cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  return status;
}

double own_cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

void kill_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  wait_for(pid);
}

void* map_shared(std::size_t bytes) {
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw_errno("mmap");
  return at;
}

void unmap_shared(void* at, std::size_t bytes) { ::munmap(at, bytes); }

std::uint64_t resident_bytes(pid_t pid) {
  // Address space says nothing here: the RAM of a large modelled machine is reserved, not used.
  std::FILE* file = std::fopen(fmt::format("/proc/{}/statm", pid).c_str(), "re");
  if (file == nullptr) return 0;
  unsigned long long size = 0, resident = 0;
  const int read = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

RunResult result_of_death(Stopper stopper, int status, const Tail& tail, const RunLimits& limits) {
  RunResult result;
  result.output = tail.last();
  if (stopper == Stopper::watchdog) {
    result.end = RunResult::End::timeout;
    result.rule = "RUN-HANG";
    result.expected = fmt::format("an end within {:g} s", limits.seconds);
    result.actual = "the step was still running";
    return result;
  }
  result.rule = "RUN-CRASH";
  result.expected = "the process lives";
  if (stopper == Stopper::memory) {
    result.end = RunResult::End::out_of_memory;
    result.expected = fmt::format("at most {} MiB of memory", limits.memory_bytes >> 20);
    result.actual = "more";
    return result;
  }
  result.end = RunResult::End::crash;
  result.actual = WIFSIGNALED(status) ? fmt::format("it died of signal {} ({})", WTERMSIG(status),
                                                    ::strsignal(WTERMSIG(status)))
                                      : fmt::format("it ended with code {}", WEXITSTATUS(status));
  if (!tail.require().empty()) {
    result.end = RunResult::End::require;
    result.rule = "RUN-REQUIRE";
    result.expected = "every REQUIRE holds";
    result.actual = tail.require();
  }
  return result;
}

}  // namespace fuzz
