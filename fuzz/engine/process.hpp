// process: children that cannot hurt us: they die with us, and how they died can be read.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>

#include "fuzz/engine/run.hpp"

namespace fuzz {

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Fd() { close(); }
  void close();
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};
Pipe make_pipe();  // not inherited by other programs; throws std::system_error

// All bytes, through interruptions. False: the other side is gone, or the disk is full.
bool write_all(int fd, std::string_view bytes);
bool read_all(int fd, char* to, std::size_t count);

// Reads what is there into `to`, waiting if nothing is. False at the end of the stream.
bool read_some(int fd, std::string& to);

// The end of what a process wrote to stderr, and the line that says which REQUIRE failed.
class Tail {
 public:
  void add(std::string_view bytes);
  std::string last() const;                                // at most 4 KiB
  const std::string& require() const { return require_; }  // without the word; "" if none

 private:
  std::string bytes_;
  std::string require_;
};

// Runs `body` in a child that is killed when its parent dies, ignores Ctrl-C, writes no core file
// and whose stderr is `errors`. The child ends with `body`.
pid_t spawn(const std::function<void()>& body, int errors);

// Waits for the end; the wait status, and the CPU time of the process and those it waited for.
int wait_for(pid_t, double* cpu_seconds = nullptr);
double own_cpu_seconds();  // of this process alone
void kill_and_reap(pid_t);

// Zeroed memory that parent and children share.
void* map_shared(std::size_t bytes);
void unmap_shared(void*, std::size_t bytes);

std::uint64_t resident_bytes(pid_t);  // 0 when unknown

// What stopped a process that did not end by itself.
enum class Stopper : std::uint8_t { itself, watchdog, memory };
// The rule that a death breaks, with the words for it.
RunResult result_of_death(Stopper, int wait_status, const Tail&, const RunLimits&);

}  // namespace fuzz
