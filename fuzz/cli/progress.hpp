// progress: one line on stderr that says how long work went on and what it reached.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

namespace cli {

class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  // On a terminal the line is replaced; elsewhere a line is written every ten seconds.
  void show(std::string_view line);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point last_ = Clock::now();
};

// 1234567 as 1,234,567.
std::string grouped(std::uint64_t);

// Ctrl-C and SIGTERM from now on only set what `interrupted` answers; a second one ends the command
// at once.
void notice_interrupts();
bool interrupted();

}  // namespace cli
