// Runs tasks in processes.
#include "fuzz/cli/jobs.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <system_error>
#include <vector>

namespace cli {
namespace {

struct Job {
  std::size_t task;
  pid_t process;
  int from;  // the reading end
  JobAnswer answer;
};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

[[noreturn]] void be_child(std::size_t task, int to,
                           const std::function<std::string(std::size_t)>& run) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read the answer
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  int status = 1;
  try {
    const std::string answer = run(task);
    std::size_t written = 0;
    while (written < answer.size()) {
      const ssize_t n = write(to, answer.data() + written, answer.size() - written);
      if (n < 0 && errno != EINTR) break;
      written += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    }
    status = written == answer.size() ? 0 : 1;
  } catch (const std::exception& error) { fmt::print(stderr, "allocheck: {}\n", error.what()); }
  std::fflush(stderr);
  _exit(status);  // the parent's buffers and exit handlers are the parent's
}

Job start(std::size_t task, const std::function<std::string(std::size_t)>& run) {
  int ends[2];
  if (pipe(ends) != 0) fail("cannot make a pipe");
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0) fail("cannot start a process");
  if (process == 0) {
    close(ends[0]);
    be_child(task, ends[1], run);
  }
  close(ends[1]);
  return {task, process, ends[0], {}};
}

// True when the answer is complete.
bool take(Job& job) {
  char buffer[65536];
  const ssize_t n = read(job.from, buffer, sizeof buffer);
  if (n < 0 && errno == EINTR) return false;
  if (n > 0) {
    job.answer.text.append(buffer, static_cast<std::size_t>(n));
    return false;
  }
  close(job.from);
  int status = 0;
  while (waitpid(job.process, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) job.answer.died = fmt::format("died of signal {}", WTERMSIG(status));
  else if (WEXITSTATUS(status) != 0)
    job.answer.died = fmt::format("ended with code {}", WEXITSTATUS(status));
  return true;
}

}  // namespace

void run_jobs(std::size_t count, std::size_t at_a_time,
              const std::function<std::string(std::size_t)>& task,
              const std::function<void(std::size_t, const JobAnswer&)>& done,
              const std::function<bool()>& stop) {
  std::vector<Job> running;
  std::vector<std::optional<JobAnswer>> answers(count);
  std::size_t started = 0, reported = 0;
  bool stopping = false;
  while (reported < count) {
    if (stop && !stopping && stop()) {
      stopping = true;
      for (const Job& job : running) kill(job.process, SIGTERM);
      for (; started < count; ++started) answers[started] = JobAnswer{"", "was not started"};
    }
    while (started < count && running.size() < std::max<std::size_t>(at_a_time, 1))
      running.push_back(start(started++, task));
    std::vector<pollfd> waiting;
    for (const Job& job : running) waiting.push_back({job.from, POLLIN, 0});
    if (poll(waiting.data(), waiting.size(), stop ? 200 : -1) < 0 && errno != EINTR)
      fail("cannot wait");
    for (std::size_t i = running.size(); i-- > 0;) {
      if (waiting[i].revents == 0 || !take(running[i])) continue;
      answers[running[i].task] = std::move(running[i].answer);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (; reported < count && answers[reported]; ++reported) {
      done(reported, *answers[reported]);
      answers[reported] = JobAnswer{};  // its text is not needed any more
    }
  }
}

}  // namespace cli
