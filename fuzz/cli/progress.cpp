// The progress line, and the wish to stop.
#include "fuzz/cli/progress.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace cli {
namespace {

volatile sig_atomic_t interrupts = 0;

extern "C" void count_interrupt(int signal_number) {
  interrupts = interrupts + 1;
  if (interrupts < 2) return;
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(std::string_view line) {
  if (terminal_) {
    // A line that wraps could not be replaced.
    fmt::print(stderr, "\r{}\x1b[K", line.substr(0, terminal_width() - 1));
    std::fflush(stderr);
    shown_ = true;
  } else if (Clock::now() - last_ >= std::chrono::seconds(10)) {
    fmt::print(stderr, "{}\n", line);
    last_ = Clock::now();
  }
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

std::string grouped(std::uint64_t n) {
  std::string text = fmt::format("{}", n);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

void notice_interrupts() {
  struct sigaction action{};
  action.sa_handler = count_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return interrupts > 0; }

}  // namespace cli
