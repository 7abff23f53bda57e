// random: the one source of chance. The same seed gives the same numbers on every machine.
#pragma once
#include <cstdint>

namespace props {

__extension__ using Wide = unsigned __int128;

// SplitMix64 (Steele, Lea, Flood 2014): one word of state, so that a run is named by one number.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  // Below n; n = 0 means any 64 bits. Multiplication instead of division: cheap and nearly even.
  std::uint64_t below(std::uint64_t n) {
    const std::uint64_t x = next();
    if (n == 0) return x;
    return static_cast<std::uint64_t>((static_cast<Wide>(x) * n) >> 64);
  }
  bool chance(unsigned one_in) { return below(one_in) == 0; }

 private:
  std::uint64_t state_;
};

// The seed of run number `run` of a search: neighbours share nothing.
inline std::uint64_t seed_of_run(std::uint64_t seed, std::uint64_t run) {
  return Random(seed ^ Random(run + 1).next()).next();
}

}  // namespace props
