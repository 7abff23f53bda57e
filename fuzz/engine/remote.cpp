// Sends questions to a child and brings its answers home.
#include "fuzz/engine/remote.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <new>

#include "fuzz/engine/process.hpp"

namespace fuzz {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A message is its length and its bytes. Both ends are this very program, so the form of what is
// inside is nobody else's business.
void put(std::string& to, std::uint64_t n) {
  std::array<char, sizeof n> raw;
  std::memcpy(raw.data(), &n, sizeof n);
  to.append(raw.data(), raw.size());
}

void put(std::string& to, const std::string& text) {
  put(to, text.size());
  to += text;
}

std::uint64_t get_number(std::string_view& from) {
  std::uint64_t n = 0;
  REQUIRE(from.size() >= sizeof n);
  std::memcpy(&n, from.data(), sizeof n);
  from.remove_prefix(sizeof n);
  return n;
}

std::string get_text(std::string_view& from) {
  const std::uint64_t size = get_number(from);
  REQUIRE(from.size() >= size);
  const std::string text(from.substr(0, size));
  from.remove_prefix(size);
  return text;
}

std::string pack(const RunResult& r) {
  std::string m;
  for (const std::uint64_t n : {static_cast<std::uint64_t>(r.end), std::uint64_t{r.step},
                                r.executed, r.skipped, std::uint64_t{r.answers.size()}})
    put(m, n);
  for (const props::Answer& a : r.answers) {
    put(m, static_cast<std::uint64_t>(a.kind));
    put(m, a.value);
    put(m, static_cast<std::uint64_t>(a.fault));
  }
  for (const auto* s : {&r.rule, &r.step_text, &r.expected, &r.actual, &r.picture, &r.digest})
    put(m, *s);
  return m;
}

RunResult unpack(std::string_view m) {
  RunResult r;
  r.end = static_cast<RunResult::End>(get_number(m));
  r.step = get_number(m);
  r.executed = get_number(m);
  r.skipped = get_number(m);
  r.answers.resize(get_number(m));
  for (props::Answer& a : r.answers) {
    a.kind = static_cast<props::Answer::Kind>(get_number(m));
    a.value = get_number(m);
    a.fault = static_cast<ref::core::Fault>(get_number(m));
  }
  for (auto* s : {&r.rule, &r.step_text, &r.expected, &r.actual, &r.picture, &r.digest})
    *s = get_text(m);
  return r;
}

bool send(int fd, std::string_view message) {
  std::string framed;
  put(framed, std::string(message));
  return write_all(fd, framed);
}

bool receive(int fd, std::string& message) {
  std::uint64_t size = 0;
  if (!read_all(fd, reinterpret_cast<char*>(&size), sizeof size)) return false;
  message.resize(size);
  return read_all(fd, message.data(), size);
}

}  // namespace

RemoteRunner::RemoteRunner(Serve serve, const RunLimits& limits)
    : RemoteRunner(
          ServeBytes([serve = std::move(serve)](std::string_view question, StepCounter& counter) {
            return pack(serve(question, counter));
          }),
          limits) {}

RemoteRunner::RemoteRunner(ServeBytes serve, const RunLimits& limits)
    : serve_(std::move(serve)),
      limits_(limits),
      counter_(new(map_shared(sizeof(StepCounter))) StepCounter(0)) {}

RemoteRunner::~RemoteRunner() {
  retire();
  unmap_shared(counter_, sizeof(StepCounter));
}

void RemoteRunner::retire() {
  if (child_ >= 0) kill_and_reap(child_);
  child_ = -1;
}

void RemoteRunner::start() {
  Pipe questions = make_pipe(), answers = make_pipe(), errors = make_pipe();
  // The child must not hold the end that tells it that we are gone.
  child_ = spawn(
      [&] {
        questions.write.close();
        for (std::string question; receive(questions.read.get(), question);)
          if (!send(answers.write.get(), serve_(question, *counter_))) return;
      },
      errors.write.get());
  questions_ = std::move(questions.write);
  answers_ = std::move(answers.read);
  errors_ = std::move(errors.read);
  tail_ = {};
}

RunResult RemoteRunner::ask(std::string_view question) {
  auto answer = exchange(question);
  return answer ? unpack(*answer) : std::move(answer.error());
}

std::expected<std::string, RunResult> RemoteRunner::exchange(std::string_view question) {
  if (child_ < 0) start();
  *counter_ = seen_ = 0;
  progress_ = now();
  stopper_ = Stopper::itself;
  std::string answer;
  if (send(questions_.get(), question) && await(answer)) return answer;
  ::kill(child_, SIGKILL);  // it may only have closed the pipe
  std::string text;
  while (read_some(errors_.get(), text)) tail_.add(text), text.clear();
  const int status = wait_for(child_);
  child_ = -1;
  RunResult result = result_of_death(stopper_, status, tail_, limits_);
  result.step = *counter_;
  return std::unexpected(std::move(result));
}

bool RemoteRunner::await(std::string& answer) {
  std::string bytes, text;
  for (;;) {
    std::array<pollfd, 2> wait{{{answers_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), 20);
    if (wait[1].revents != 0 && read_some(errors_.get(), text)) tail_.add(text), text.clear();
    if (wait[0].revents != 0) {
      if (!read_some(answers_.get(), bytes)) return false;
      std::string_view rest = bytes;
      if (rest.size() < sizeof(std::uint64_t) || get_number(rest) > rest.size()) continue;
      answer = rest;
      return true;
    }
    watch();
  }
}

void RemoteRunner::watch() {
  if (const std::uint64_t step = *counter_; step != seen_) seen_ = step, progress_ = now();
  if (stopper_ != Stopper::itself) return;
  if (now() - progress_ > limits_.seconds) stopper_ = Stopper::watchdog;
  else if (resident_bytes(child_) > limits_.memory_bytes) stopper_ = Stopper::memory;
  if (stopper_ != Stopper::itself) ::kill(child_, SIGKILL);
}

RunResult run_in_child(const std::function<RunResult(StepCounter&)>& body,
                       const RunLimits& limits) {
  RemoteRunner child([&](std::string_view, StepCounter& counter) { return body(counter); }, limits);
  return child.ask("");
}

std::string hex_of(ref::core::Hash hash) {
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

}  // namespace fuzz
