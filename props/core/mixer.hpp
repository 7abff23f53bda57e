// mixer: 128 bits of a run of numbers, the same with every compiler and on every machine.
#pragma once
#include <cstdint>
#include <string_view>

#include "props/core/random.hpp"
#include "ref/core/arena.hpp"

namespace props {

// The order of what is added counts, and so does where one text ends and the next begins.
class Mixer {
 public:
  void add(std::uint64_t word) {
    sum_.low = Random(sum_.low ^ word).next();
    sum_.high = Random(sum_.high + word * 0x9e3779b97f4a7c15).next();
  }
  void add(const ref::core::Hash& hash) { add(hash.low), add(hash.high); }
  void add(std::string_view text) {
    add(text.size());
    for (std::uint64_t word = 0; !text.empty(); word = 0) {
      const std::size_t n = text.size() < sizeof word ? text.size() : sizeof word;
      for (std::size_t i = 0; i < n; ++i)
        word |= std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
      text.remove_prefix(n);
      add(word);
    }
  }
  const ref::core::Hash& sum() const { return sum_; }

 private:
  ref::core::Hash sum_{1, 2};
};

}  // namespace props
