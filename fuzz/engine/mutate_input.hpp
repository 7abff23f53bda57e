// mutate_input: the mutator for engines that hold inputs as bytes: libFuzzer, and our own loop.
//
//   bytes ──▶ trace ──▶ Mutator ──▶ bytes              operations
//   bytes ──▶ the engine's own mutation ──▶ bytes      what no description thinks of
//
// By default the two take turns by chance. ALLOCHECK_MUTATE=bytes|operations|both chooses, so that
// one can be measured against the other.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <span>

#include "fuzz/engine/mutate.hpp"

namespace fuzz {

enum class MutateBy : std::uint8_t { bytes, operations, both };

// What the environment chooses. Ends the process when that is none of the three.
inline MutateBy mutate_by_of_environment() {
  const char* text = std::getenv("ALLOCHECK_MUTATE");
  const std::string_view word = text == nullptr ? "both" : text;
  if (word == "bytes") return MutateBy::bytes;
  if (word == "operations") return MutateBy::operations;
  if (word == "both") return MutateBy::both;
  std::fprintf(stderr, "ALLOCHECK_MUTATE=%s; expected bytes, operations or both\n", text);
  std::_Exit(125);
}

// Flips, overwrites, inserts or removes bytes, where no engine brings a mutation of its own.
inline std::size_t mutate_bytes(std::uint8_t* data, std::size_t size, std::size_t room,
                                Random& random) {
  for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
    const std::size_t at = random.below(size + 1);
    switch (random.below(4)) {
      case 0:
        if (at < size) data[at] = static_cast<std::uint8_t>(data[at] ^ (1u << random.below(8)));
        break;
      case 1:
        if (at < size) data[at] = static_cast<std::uint8_t>(random.next());
        break;
      case 2:
        if (size == room) break;
        std::copy_backward(data + at, data + size, data + size + 1);
        data[at] = static_cast<std::uint8_t>(random.next());
        ++size;
        break;
      default:
        if (at >= size || size == 1) break;
        std::copy(data + at + 1, data + size, data + at);
        --size;
    }
  }
  return size;
}

template <class L>
class InputMutator {
 public:
  explicit InputMutator(MutateBy by) : by_(by) {}

  // Changes an input in place; the new size. `by_engine(data, size, room)` is the engine's own
  // mutation. Inputs grow slowly: most of what matters is short, and short is fast.
  template <class ByEngine>
  std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t room, std::uint64_t seed,
                     ByEngine by_engine) {
    Random random(seed);
    size = std::min(size, room);
    const std::size_t grown = random.chance(16) ? room : std::max<std::size_t>(size + size / 4, 96);
    const std::size_t most = std::min(room, grown);
    if (by_ == MutateBy::bytes) return by_engine(data, size, room);
    if (by_ == MutateBy::both && random.chance(4)) {
      const std::size_t kept = random.chance(4) ? 0 : bytes_of_machine({data, size});
      if (kept < size) return kept + by_engine(data + kept, size - kept, most - kept);
    }
    decode({data, size}, a_);
    mutator_.mutate(a_, random, most);
    return encode(a_, {data, room});
  }

  // Writes a child of two inputs to `out`; its size, 0: let the engine do something else.
  std::size_t cross_over(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                         std::span<std::uint8_t> out, std::uint64_t seed) {
    Random random(seed);
    // Engines that have a crossing of ours use it for half of what they do, which is too much.
    if (by_ == MutateBy::bytes || !random.chance(4)) return 0;
    decode(a, a_), decode(b, b_);
    mutator_.cross_over(a_, b_, child_, random, out.size());
    return encode(child_, out);
  }

 private:
  using Trace = typename L::Trace;

  static void decode(std::span<const std::uint8_t> bytes, Trace& trace) {
    props::ByteReader from(bytes);
    trace.machine = props::decode_machine(from);
    trace.steps.clear();
    while (!from.empty() && trace.steps.size() < Mutator<L>::steps_max)
      trace.steps.push_back(props::decode_step<typename L::Operation>(from, trace.machine.era));
  }

  // How many bytes in front are the machine's, 0 if they are not as they would be written. A byte
  // changed there makes another machine of it, and those are booted, which takes long.
  std::size_t bytes_of_machine(std::span<const std::uint8_t> input) {
    props::ByteReader from(input);
    writer_.clear();
    props::encode_machine(props::decode_machine(from), writer_);
    const std::size_t size = writer_.bytes().size();
    const bool canonical = size <= input.size() && std::equal(writer_.bytes().begin(),
                                                              writer_.bytes().end(), input.begin());
    return canonical ? size : 0;
  }

  // What does not fit is cut: any bytes are some trace.
  std::size_t encode(const Trace& trace, std::span<std::uint8_t> out) {
    writer_.clear();
    props::encode_machine(trace.machine, writer_);
    for (const auto& step : trace.steps) props::encode_step(step, writer_, trace.machine.era);
    const std::size_t size = std::min(writer_.bytes().size(), out.size());
    std::copy_n(writer_.bytes().begin(), size, out.begin());
    return size;
  }

  MutateBy by_;
  Mutator<L> mutator_;
  Trace a_, b_, child_;  // kept, so that their memory is
  props::ByteWriter writer_;
};

}  // namespace fuzz
