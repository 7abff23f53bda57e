// Guards the guards: flips bits of reachable states, and expects each rule to see its fields.
#include "props/kmap/fields.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "props/kmap/generator.hpp"
#include "props/kmap/rules.hpp"

namespace props::kmap {
namespace {

std::set<std::string_view> words(std::string_view text) {
  std::set<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    found.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

// What a search got to, mostly with another task on the CPU: what maps are saved shows there.
Machine reached(Random& random) {
  const Newborn newborn(draw_machine(random));
  World world(newborn, Judging::cheap());
  const Generator generator(random);
  for (std::uint64_t steps = random.below(200); steps > 0; --steps)
    world.apply(generator.draw(world, random));
  world.apply({SelectTask{{random.below(4)}}, {}, {}, 0});
  return world.machine();
}

struct Tally {
  std::map<std::string_view, std::uint64_t> noticed;  // by rule
  std::uint64_t free = 0;
};
using Tallies = std::map<std::pair<std::string_view, std::string_view>, Tally>;

// What is not free is noticed, by a rule of the field; what is free is not noticed.
void judge_flip(const Machine& before, Machine& m, const Record& record, std::uint64_t i,
                const Field& field, std::size_t bit, Tallies& tallies) {
  const std::size_t byte = field.offset + bit / 8;
  record.edit(m, i)[byte] ^= std::byte(1u << bit % 8);
  const bool is_free = field.is_free != nullptr && field.is_free({before, m, i, byte});
  const auto finding = first_broken(m);
  record.edit(m, i)[byte] ^= std::byte(1u << bit % 8);
  const std::string_view rule = finding ? finding->rule : "";
  Tally& tally = tallies[{field.record, field.name}];
  const std::string where = std::string(field.record) + " " + std::to_string(i) + ", " +
                            std::string(field.name) + ", bit " + std::to_string(bit);
  if (is_free) {
    EXPECT_EQ(rule, "") << "registered as free: " << where;
    ++tally.free;
  } else {
    EXPECT_TRUE(words(field.rules).contains(rule)) << "by '" << rule << "': " << where;
    ++tally.noticed[rule];
  }
}

// A bit of a field: any, or one that counts in a small number, or one of a word that says
// something.
std::size_t draw_bit(const std::byte* record, const Field& field, int n, Random& random) {
  const std::size_t any = random.below(field.bytes * 8);
  if (n % 3 == 0 || field.bytes % 4 != 0) return any;
  if (n % 3 == 1) return any / 32 * 32 + any % 2;
  for (std::size_t word = 0; word < field.bytes; word += 4) {
    const std::byte* const at = record + field.offset + word;
    if (std::any_of(at, at + 4, [](std::byte b) { return b != std::byte{}; }))
      return word * 8 + any % 32;
  }
  return any;
}

void flip_some(const Machine& before, Random& random, Tallies& tallies) {
  Machine m = before;
  for (const Record& record : records()) {
    const std::uint64_t count = record.count(before);
    for (int n = 0; n < 12 && count > 0; ++n) {
      std::uint64_t i = random.below(count);
      const auto holds = [&](std::uint64_t r) {
        const std::byte* const bytes = record.edit(m, r);
        return std::any_of(bytes, bytes + record.bytes,
                           [](std::byte b) { return b != std::byte{}; });
      };
      for (std::uint64_t tries = 0; tries < count && n % 3 > 0 && !holds(i); ++tries)
        i = (i + 1) % count;
      for (const Field& field : fields())
        if (field.record == record.name)
          judge_flip(before, m, record, i, field, draw_bit(record.edit(m, i), field, n, random),
                     tallies);
    }
  }
}

TEST(KmapFields, a_flipped_bit_is_noticed_unless_it_is_free) {
  Tallies tallies;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    const Machine m = reached(random);
    const auto finding = first_broken(m);
    ASSERT_FALSE(finding) << "seed " << seed << ": " << finding->rule << ' ' << finding->expected;
    SCOPED_TRACE("seed " + std::to_string(seed));
    flip_some(m, random, tallies);
    if (HasFailure()) return;
  }
  std::set<std::string_view> promised, kept;
  for (const Field& field : fields()) {
    const Tally& tally = tallies[{field.record, field.name}];
    const auto rules = words(field.rules);
    promised.insert(rules.begin(), rules.end());
    for (const auto& [rule, times] : tally.noticed) kept.insert(rule);
    EXPECT_FALSE(tally.noticed.empty()) << field.record << ' ' << field.name;
    EXPECT_EQ(tally.free > 0, field.is_free != nullptr) << field.record << ' ' << field.name;
  }
  EXPECT_EQ(promised, kept);
}

TEST(KmapFields, name_rules_that_exist) {
  for (const Field& field : fields())
    for (const std::string_view rule : words(field.rules))
      EXPECT_NE(find_rule(rule), nullptr) << field.record << ' ' << field.name;
}

TEST(KmapFields, the_page_is_what_the_register_says) {
  const std::filesystem::path committed =
      std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "props/kmap/FIELDS.md";
  std::ifstream in(committed);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text == fields_page()) return;
  const std::filesystem::path renewed =
      std::filesystem::path(::testing::TempDir()) / "KMAP_FIELDS.md";
  std::ofstream(renewed) << fields_page();
  ADD_FAILURE() << "the register changed; renew the page with\n  cp " << renewed.string() << ' '
                << committed.string();
}

}  // namespace
}  // namespace props::kmap
