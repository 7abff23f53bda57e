// Guards the guards: flips bits of reachable states, and expects each rule to see its fields.
#include "props/slab/fields.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "props/core/page_tests.hpp"
#include "props/slab/rules.hpp"
#include "props/slab/walk.hpp"

namespace props::slab {
namespace {

using ref::core::Config;
using ref::core::EraId;

std::set<std::string_view> words(std::string_view text) {
  std::set<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    found.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

// A state that can be reached, and a copy to flip bits of.
class Reached {
 public:
  Reached(const Config& config, Random& random, std::uint64_t steps) : walk_(config) {
    walk_.run(steps, random);
    if (random.chance(3)) walk_.shrink_own();
    before_ = std::make_unique<Machine>(walk_.machine());
    EXPECT_FALSE(first_broken(*before_));
  }
  const Machine& machine() const { return *before_; }
  // The rule that notices, "" for none; and whether nobody had to.
  std::string_view flip(const Record& record, std::uint64_t i, std::size_t byte, unsigned bit,
                        const Field& field, bool& is_free) {
    Machine& m = walk_.edit_machine();
    std::byte& at = record.edit(m, i)[byte];
    at ^= std::byte(1u << bit);
    is_free = field.is_free != nullptr && field.is_free({*before_, m, i, byte});
    const auto finding = first_broken(m);
    at ^= std::byte(1u << bit);
    return finding ? finding->rule : "";
  }

 private:
  Walk walk_;
  std::unique_ptr<Machine> before_;
};

struct Tally {
  std::map<std::string_view, std::uint64_t> noticed;  // by rule
  std::uint64_t free = 0;
};
using Tallies = std::map<std::pair<std::string_view, std::string_view>, Tally>;

// What is not free is noticed, by a rule of the field; what is free is not noticed.
void judge_flip(Reached& state, const Record& record, std::uint64_t i, const Field& field,
                std::size_t byte, unsigned bit, Tallies& tallies) {
  bool is_free = false;
  const std::string_view rule = state.flip(record, i, byte, bit, field, is_free);
  Tally& tally = tallies[{field.record, field.name}];
  const auto where = [&] {
    return std::string(field.record) + " " + std::to_string(i) + ", " + std::string(field.name) +
           ", byte " + std::to_string(byte - field.offset) + ", bit " + std::to_string(bit);
  };
  if (is_free) {
    EXPECT_EQ(rule, "") << "registered as free: " << where();
    ++tally.free;
  } else {
    EXPECT_NE(rule, "") << "registered as checked: " << where();
    EXPECT_TRUE(words(field.rules).contains(rule)) << "by " << rule << ": " << where();
    ++tally.noticed[rule];
  }
}

// Records that hold something are flipped as often as those that do not.
std::uint64_t some_record(const Record& record, Machine& m, Random& random) {
  const std::uint64_t count = record.count(m), first = random.below(count);
  // Slabs that wait for a grace period are few.
  const auto waiting = m.arena.at(m.slab.globals, 0).rcu_first;
  if (record.name == "slab" && waiting != 0 && random.chance(2)) return waiting - 1;
  if (random.chance(4)) return first;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, 4096); ++i) {
    const std::byte* const bytes = record.edit(m, (first + i) % count);
    if (std::any_of(bytes, bytes + record.bytes, [](std::byte b) { return b != std::byte{0}; }))
      return (first + i) % count;
  }
  return first;
}

void flip_some(Reached& state, Random& random, Tallies& tallies) {
  Machine copy = state.machine();
  for (const Record& record : records()) {
    const std::uint64_t count = record.count(state.machine());
    const bool is_rich = record.bytes > 32 || record.name == "live" || record.name == "own";
    const unsigned often = is_rich ? 8 : 3;
    for (unsigned n = count == 0 ? 0 : often; n > 0; --n) {
      const std::uint64_t i = some_record(record, copy, random);
      for (const Field& field : fields()) {
        if (field.record != record.name) continue;
        const std::size_t byte = field.offset + (random.chance(2) ? 0 : random.below(field.bytes));
        judge_flip(state, record, i, field, byte, static_cast<unsigned>(random.below(8)), tallies);
      }
    }
  }
}

TEST(SlabFields, a_flipped_bit_is_noticed_unless_it_is_free) {
  Tallies tallies;
  std::map<EraId, int> eras;
  for (std::uint64_t seed = 0; seed < 90; ++seed) {
    Random random(seed);
    const Config config = draw_walk(random);
    SCOPED_TRACE("seed " + std::to_string(seed));
    Reached state(config, random, 20 + random.below(150));
    ++eras[config.era];
    flip_some(state, random, tallies);
    if (HasFailure()) return;
  }
  EXPECT_GT(eras[EraId::linux_2_6_11], 30);
  EXPECT_GT(eras[EraId::linux_6_1], 30);
  // The register promises neither too little nor too much. Which of a field's rules sees a flip
  // depends on where it leads, so each rule is asked for once, and each field.
  std::set<std::string_view> promised, kept;
  for (const Field& field : fields()) {
    const Tally& tally = tallies[{field.record, field.name}];
    const auto rules = words(field.rules);
    promised.insert(rules.begin(), rules.end());
    for (const auto& [rule, times] : tally.noticed) kept.insert(rule);
    EXPECT_EQ(tally.noticed.empty(), rules.empty()) << field.record << ' ' << field.name;
    // These need two caches alike, or an alignment that no caller should ask for.
    const bool seldom = (field.record == "slab" && field.name == "cache") ||
                        (field.record == "cache" && field.name == "align");
    if (seldom) continue;
    EXPECT_EQ(tally.free > 0, field.is_free != nullptr) << field.record << ' ' << field.name;
  }
  EXPECT_EQ(promised, kept);
}

TEST(SlabFields, name_rules_that_exist) {
  for (const Field& field : fields())
    for (const std::string_view rule : words(field.rules))
      EXPECT_NE(find_rule(rule), nullptr) << field.record << ' ' << field.name;
}

// The tables of the arena, each laid behind the one before, are the ones that are registered.
TEST(SlabFields, no_table_of_the_layer_is_forgotten) {
  Random random(1);
  Walk walk(draw_walk(random));
  Machine& m = walk.edit_machine();
  const std::byte* next = nullptr;
  for (const Record& record : records()) {
    if (record.count(m) == 0) continue;
    const std::byte* const at = record.edit(m, 0);
    if (next != nullptr) {
      EXPECT_GE(at, next) << record.name;
      EXPECT_LT(at, next + record.bytes) << record.name;
    }
    next = at + record.count(m) * record.bytes;
  }
}

TEST(SlabFields, the_page_is_what_the_register_says) {
  expect_committed("props/slab/FIELDS.md", fields_page());
}

}  // namespace
}  // namespace props::slab
