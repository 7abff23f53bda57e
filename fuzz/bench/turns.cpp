// Runs ways in turns, by the processor's time.
#include "fuzz/bench/turns.hpp"

#include <algorithm>
#include <ctime>

namespace bench {
namespace {

double nanoseconds_of_thread() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

}  // namespace

void Turns::add(std::string name, std::size_t steps, std::function<void()> run) {
  ways_.push_back({std::move(name), steps, std::move(run), {}});
}

void Turns::take(benchmark::State& state) {
  for (auto _ : state) {
    for (Way& way : ways_) {
      const double before = nanoseconds_of_thread();
      way.run();
      way.times.push_back(nanoseconds_of_thread() - before);
    }
  }
  for (Way& way : ways_) {
    const auto middle = way.times.begin() + static_cast<std::ptrdiff_t>(way.times.size() / 2);
    std::ranges::nth_element(way.times, middle);
    state.counters[way.name] = *middle / static_cast<double>(way.steps);
  }
}

}  // namespace bench
