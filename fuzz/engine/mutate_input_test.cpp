// Inputs of an engine are mutated by bytes, by operations or both, and never outgrow their room.
#include "fuzz/engine/mutate_input.hpp"

#include <gtest/gtest.h>

#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes some_input() {
  const auto trace = props::parse_trace<toy::Operation>(
      toy::trace_text("p0 = put(value=3)\nnoise(loud=9)\ntake(page=p0)\n"));
  return props::encode_trace(*trace);
}

struct Mutated {
  Bytes bytes;
  int by_engine = 0;  // how often the engine was asked
};

Mutated mutated(MutateBy by, std::uint64_t seed, std::size_t room, int times = 1) {
  InputMutator<toy::Layer> mutator(by);
  Mutated out{some_input(), 0};
  for (int i = 0; i < times; ++i) {
    std::size_t size = out.bytes.size();
    out.bytes.resize(std::max(size, room));
    size = mutator.mutate(out.bytes.data(), size, room, seed + static_cast<unsigned>(i),
                          [&](std::uint8_t* data, std::size_t now, std::size_t most) {
                            ++out.by_engine;
                            EXPECT_LE(now, most);
                            EXPECT_LE(most, room);
                            Random random(seed);
                            return mutate_bytes(data, now, most, random);
                          });
    EXPECT_LE(size, room);
    out.bytes.resize(size);
  }
  return out;
}

TEST(MutateInput, TheChoiceDecidesWhoMutates) {
  EXPECT_EQ(mutated(MutateBy::bytes, 1, 500, 200).by_engine, 200);
  EXPECT_EQ(mutated(MutateBy::operations, 1, 500, 200).by_engine, 0);
  const int by_engine = mutated(MutateBy::both, 1, 500, 200).by_engine;
  EXPECT_GT(by_engine, 20);
  EXPECT_LT(by_engine, 100);
}

TEST(MutateInput, OneSeedIsOneResult) {
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    EXPECT_EQ(mutated(MutateBy::both, seed, 500).bytes, mutated(MutateBy::both, seed, 500).bytes);
}

TEST(MutateInput, NothingOutgrowsItsRoom) {
  for (std::size_t room = 1; room < 120; ++room)
    for (const MutateBy by : {MutateBy::bytes, MutateBy::operations, MutateBy::both})
      mutated(by, room, room, 20);
}

TEST(MutateInput, OperationsComeOutCanonical) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Bytes bytes = mutated(MutateBy::operations, seed, 500, 5).bytes;
    EXPECT_EQ(props::encode_trace(props::decode_trace<toy::Operation>(bytes)), bytes);
  }
}

TEST(MutateInput, BytesOfTheEngineChangeEveryPartAndLength) {
  std::size_t longer = 0, shorter = 0, first_changed = 0;
  const Bytes before = some_input();
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Bytes after = mutated(MutateBy::bytes, seed, 500).bytes;
    longer += after.size() > before.size(), shorter += after.size() < before.size();
    first_changed += after.front() != before.front();
  }
  EXPECT_GT(longer, 20u);
  EXPECT_GT(shorter, 20u);
  EXPECT_GT(first_changed, 5u);
}

TEST(MutateInput, CrossingIsLeftToTheEngineWhenBytesAreAskedFor) {
  InputMutator<toy::Layer> bytes(MutateBy::bytes), both(MutateBy::both);
  const Bytes a = some_input();
  Bytes out(300);
  int crossed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    EXPECT_EQ(bytes.cross_over(a, a, out, seed), 0u);
    const std::size_t size = both.cross_over(a, a, out, seed);
    EXPECT_LE(size, out.size());
    crossed += size > 0 ? 1 : 0;
  }
  EXPECT_GT(crossed, 20);
  EXPECT_LT(crossed, 100);
}

}  // namespace
}  // namespace fuzz
