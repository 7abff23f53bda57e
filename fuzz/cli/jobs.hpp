// jobs: many tasks, each in a process of its own, some at a time; answers come in the tasks' order.
//
//   parent ──fork──▶ task 0 ──pipe──▶ answer 0 ─┐
//          ──fork──▶ task 1 ──pipe──▶ answer 1 ─┼▶ done(0), done(1), ...
//                    task 2 waits for a place    ┘
//
// A task that dies takes nobody with it. When `stop` says so, no more are started and the running
// ones are ended; they count as dead.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace cli {

struct JobAnswer {
  std::string text;
  std::string died;  // how, when it did not answer; "" normally
};

void run_jobs(std::size_t count, std::size_t at_a_time,
              const std::function<std::string(std::size_t)>& task,
              const std::function<void(std::size_t, const JobAnswer&)>& done,
              const std::function<bool()>& stop = {});

}  // namespace cli
