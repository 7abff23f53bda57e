// The parent's side of a swarm search: watches the worker, takes what it finds, replaces it when it
// dies.
#include "fuzz/engine/swarm.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "fuzz/engine/process.hpp"
#include "fuzz/engine/swarm_worker.hpp"

namespace fuzz {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

constexpr char byte_finding = 'f', byte_end = 'e', byte_go_on = 'g';

class Driver {
 public:
  using Work = std::function<void(std::uint64_t, Courier&)>;
  using Reached = std::function<ReachTable()>;

  Driver(const SwarmOptions& options, SwarmPage& page, std::span<char> reach_bytes,
         const Work& work, const Reached& reach)
      : options_(options), page_(page), reach_bytes_(reach_bytes), work_(work), reach_(reach) {}

  SwarmResult drive() {
    page_.next_run = options_.first_run;
    if (options_.earlier) go_on_from(*options_.earlier);
    std::uint64_t next = page_.next_run;
    const std::uint64_t end = options_.first_run + options_.runs;
    while (page_.records(next) || (!stopped_ && (options_.runs == 0 || next < end))) {
      if (drive_worker(next) == Outcome::finished) break;
      next = page_.records(page_.run) ? page_.run.load() : page_.run + 1;
    }
    save();
    SwarmResult result{page_.runs,  page_.operations, page_.digest, seconds_since(start_),
                       cpu_before_, reach_(),         {},           stopped_ && !complete()};
    for (std::uint32_t i = 0; i < page_.broken_count; ++i)
      result.broken.emplace_back(page_.broken[i].rule.data(), page_.broken[i].runs);
    return result;
  }

 private:
  enum class Outcome { finished, died };

  // All that was asked for was made, whoever wanted to stop.
  bool complete() const {
    return (options_.runs != 0 && page_.runs >= options_.runs) ||
           (options_.operations != 0 && page_.operations >= options_.operations);
  }

  // Until the worker has made the last run, is stopped, or dies.
  Outcome drive_worker(std::uint64_t first) {
    Pipe news = make_pipe(), go_on = make_pipe(), errors = make_pipe();
    tail_ = {};
    worker_ = spawn(
        [&] {
          Courier courier(news.write.get(), go_on.read.get());
          work_(first, courier);
        },
        errors.write.get());
    news.write.close(), go_on.read.close(), errors.write.close();
    seen_beat_ = page_.beat;
    progress_ = Clock::now();
    stopper_ = Stopper::itself;
    bool ended = false, given_up = false;
    while (news.read.open()) {
      std::array<pollfd, 2> wait{{{news.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}}};
      ::poll(wait.data(), wait.size(), 50);
      if (wait[1].revents != 0) read_errors(errors.read);
      if (wait[0].revents != 0) {
        char byte = 0;
        if (!read_all(news.read.get(), &byte, 1)) news.read.close();
        if (byte == byte_end) ended = true;
        if (byte == byte_finding) {
          take_finding();
          if (options_.stop_at_first) ask_to_end();
          write_all(go_on.write.get(), {&byte_go_on, 1});
        }
      }
      watch(given_up);
      tell_status();
      save_now_and_then();
    }
    while (errors.read.open()) read_errors(errors.read);
    double cpu_seconds = 0;
    const int status = wait_for(worker_, &cpu_seconds);
    cpu_before_ += cpu_seconds;
    if (page_.commits % 2 != 0) ++page_.commits;  // nobody is adding any more
    if (ended || given_up) return Outcome::finished;
    const RunResult death = result_of_death(stopper_, status, tail_, options_.limits);
    if (page_.records(page_.run) || !page_.wants_trace(death.rule)) {
      take_death(death);
      if (options_.stop_at_first) ask_to_end();
    } else {  // the next worker makes this run again, and writes it down
      copy_text(death.rule, page_.death);
      page_.recorded = page_.run + 1;
    }
    return Outcome::died;
  }

  void go_on_from(const SwarmProgress& earlier) {
    REQUIRE(earlier.reach.size() == reach_bytes_.size());
    REQUIRE(earlier.broken.size() <= SwarmPage::rules_max);
    page_.next_run = earlier.next_run;
    page_.runs = earlier.runs;
    page_.operations = earlier.operations;
    page_.digest = earlier.digest;
    std::ranges::copy(earlier.reach, reach_bytes_.begin());
    for (const SwarmProgress::Broken& one : earlier.broken) {
      SwarmPage::Broken& broken = page_.broken[page_.broken_count++];
      copy_text(one.rule, broken.rule);
      broken.runs = one.runs;
      broken.handed_over = one.handed_over;
    }
  }

  // Nothing when the worker wrote meanwhile: the next time comes soon.
  std::optional<SwarmProgress> progress() const {
    const std::uint64_t before = page_.commits;
    if (before % 2 != 0) return std::nullopt;
    SwarmProgress now{page_.next_run, page_.runs, page_.operations,
                      page_.digest,   {},         {reach_bytes_.begin(), reach_bytes_.end()}};
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(page_.broken_count, SwarmPage::rules_max);
         ++i)
      now.broken.push_back(
          {page_.broken[i].rule.data(), page_.broken[i].runs, page_.broken[i].handed_over});
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (page_.commits != before) return std::nullopt;
    return now;
  }

  void save() {
    if (!options_.save) return;
    for (int tries = 0; tries < 100; ++tries)
      if (const auto now = progress()) return options_.save(*now);
  }

  // Soon at first, so that a short search can be resumed too.
  void save_now_and_then() {
    if (seconds_since(saved_) < save_interval_) return;
    save_interval_ = std::min(2.0, save_interval_ * 2);
    saved_ = Clock::now();
    save();
  }

  void read_errors(Fd& from) {
    std::string text;
    if (!read_some(from.get(), text)) from.close();
    tail_.add(text);
  }

  // Kills a worker that hangs or eats the memory; asks it to end when the search shall stop.
  void watch(bool& given_up) {
    if (const std::uint64_t beat = page_.beat; beat != seen_beat_)
      seen_beat_ = beat, progress_ = Clock::now();
    if (!stopped_ && options_.stop && options_.stop()) ask_to_end();
    if (stopper_ != Stopper::itself || given_up) return;
    // What hung before is known to hang: the second time need not be waited for as long.
    const double patient = options_.limits.seconds / (page_.records(page_.run) ? 4 : 1);
    if (seconds_since(progress_) > patient) stopper_ = Stopper::watchdog;
    else if (resident_bytes(worker_) > options_.limits.memory_bytes) stopper_ = Stopper::memory;
    else if (stopped_ && seconds_since(asked_) > patience) given_up = true;
    if (stopper_ != Stopper::itself || given_up) ::kill(worker_, SIGKILL);
  }

  void ask_to_end() {
    stopped_ = true;
    asked_ = Clock::now();
    page_.stop = true;
  }

  void take_finding() {
    SwarmFinding finding{page_.run, {}, trace(), cpu_before_ + page_.finding.cpu_seconds};
    finding.result.end = RunResult::End::violation;
    finding.result.rule = page_.finding.rule.data();
    finding.result.step = page_.finding.step;
    finding.result.expected = page_.finding.expected.data();
    finding.result.actual = page_.finding.actual.data();
    hand_on(finding);
  }

  void take_death(const RunResult& death) {
    SwarmFinding finding{page_.run, death, trace(), cpu_before_};
    finding.result.step = page_.steps == 0 ? 0 : page_.steps - 1;
    page_.recorded = 0;
    ++page_.runs;
    page_.operations += page_.steps;
    page_.next_run = page_.run + 1;
    if (page_.count_broken(finding.result.rule)) hand_on(finding);
  }

  void hand_on(const SwarmFinding& finding) {
    if (options_.found) options_.found(finding);
    progress_ = Clock::now();  // the worker waited for us
  }

  std::vector<std::uint8_t> trace() const {
    return {page_.trace.begin(), page_.trace.begin() + page_.trace_bytes};
  }

  void tell_status() {
    if (!options_.status || seconds_since(told_) < 1) return;
    told_ = Clock::now();
    options_.status({seconds_since(start_), page_.runs, page_.operations, reach_()});
  }

  static constexpr double patience = 2;  // for a run to end when the search shall stop

  const SwarmOptions& options_;
  SwarmPage& page_;
  const std::span<char> reach_bytes_;
  const Work& work_;
  const Reached& reach_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point told_ = start_, saved_ = start_, progress_, asked_;
  Tail tail_;
  double save_interval_ = 0.1;
  pid_t worker_ = -1;
  double cpu_before_ = 0;  // of the workers that ended
  std::uint64_t seen_beat_ = 0;
  Stopper stopper_ = Stopper::itself;
  bool stopped_ = false;
};

}  // namespace

bool SwarmPage::append(std::span<const std::uint8_t> bytes) {
  const std::uint32_t at = trace_bytes.load(std::memory_order_relaxed);
  if (bytes.size() > trace_max - at) return false;
  std::ranges::copy(bytes, trace.begin() + at);
  trace_bytes.store(at + static_cast<std::uint32_t>(bytes.size()), std::memory_order_release);
  return true;
}

bool SwarmPage::wants_trace(std::string_view rule) const {
  for (std::uint32_t i = 0; i < broken_count; ++i)
    if (rule == broken[i].rule.data()) return broken[i].handed_over < findings_per_rule;
  return broken_count < rules_max;
}

bool SwarmPage::count_broken(std::string_view rule) {
  std::uint32_t i = 0;
  while (i < broken_count && rule != broken[i].rule.data()) ++i;
  if (i == rules_max) return false;
  if (i == broken_count) copy_text(rule, broken[broken_count++].rule);
  ++broken[i].runs;
  if (broken[i].handed_over == findings_per_rule) return false;
  ++broken[i].handed_over;
  return true;
}

void Courier::hand_over_finding() {
  char byte = byte_finding;
  const bool taken = write_all(to_parent_, {&byte, 1}) && read_all(from_parent_, &byte, 1);
  if (!taken) ::_exit(1);  // nobody is left to take it
}

void Courier::tell_the_end() { write_all(to_parent_, {&byte_end, 1}); }

SwarmResult drive_swarm(const SwarmOptions& options, SwarmPage& page, std::span<char> reach_bytes,
                        const std::function<void(std::uint64_t, Courier&)>& work,
                        const std::function<ReachTable()>& reach) {
  return Driver(options, page, reach_bytes, work, reach).drive();
}

}  // namespace fuzz
