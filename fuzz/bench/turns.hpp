// turns: ways of doing the same, run in turns, a stream each.
//
//   way A |##|  |##|  |##|        what else the machine does comes and goes more slowly than a
//   way B    |##|  |##|  |##|     turn, and so slows all ways alike: ratios are taken from here
//
// Each way becomes a counter of the benchmark: the median of its turns, in nanoseconds a step.
#pragma once
#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

namespace bench {

class Turns {
 public:
  // `run` makes so many steps.
  void add(std::string name, std::size_t steps, std::function<void()> run);
  void take(benchmark::State&);

 private:
  struct Way {
    std::string name;
    std::size_t steps;
    std::function<void()> run;
    std::vector<double> times;
  };
  std::vector<Way> ways_;
};

}  // namespace bench
