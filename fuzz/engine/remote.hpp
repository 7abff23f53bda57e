// remote: one child process after the other that runs what it is sent; when one dies, that is the
// answer, and the next question gets a new one.
#pragma once
#include <sys/types.h>

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "fuzz/engine/process.hpp"
#include "fuzz/engine/run.hpp"

namespace fuzz {

class RemoteRunner {
 public:
  // What a child does with a question. The counter tells where it is; see StepCounter.
  using Serve = std::function<RunResult(std::string_view question, StepCounter&)>;

  // The same for questions that are not answered by one run.
  using ServeBytes = std::function<std::string(std::string_view question, StepCounter&)>;

  RemoteRunner(Serve, const RunLimits&);
  RemoteRunner(ServeBytes, const RunLimits&);
  RemoteRunner(const RemoteRunner&) = delete;
  RemoteRunner& operator=(const RemoteRunner&) = delete;
  ~RemoteRunner();

  RunResult ask(std::string_view question);  // of a Serve
  // The answer, or how the child died; then `step` is what the counter stood at.
  std::expected<std::string, RunResult> exchange(std::string_view question);
  void retire();  // the next question gets a new process

 private:
  void start();
  bool await(std::string& answer);  // false: it died
  void watch();

  ServeBytes serve_;
  RunLimits limits_;
  StepCounter* counter_;  // in shared memory
  pid_t child_ = -1;
  Fd questions_, answers_, errors_;
  Tail tail_;
  Stopper stopper_ = Stopper::itself;
  std::uint64_t seen_ = 0;
  double progress_ = 0;  // when the counter last changed
};

}  // namespace fuzz
