// Guards the guards: flips bits of reachable states, and expects each rule to see its fields.
#include "props/mmu/fields.hpp"
#include "props/core/probe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "props/core/random.hpp"
#include "props/mmu/rules.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::mmu {
namespace {

using ref::buddy::Address;
using ref::core::Config;

std::set<std::string_view> words(std::string_view text) {
  std::set<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    found.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

// Pages mapped and unmapped, looked at by some CPU and flushed by some.
Machine reached(Random& random) {
  Config c;
  c.era = random.chance(2) ? ref::core::EraId::linux_2_6_11 : ref::core::EraId::linux_6_1;
  c.page_bytes = 64;
  c.orders = 5;
  c.cpus = 1 + static_cast<std::uint32_t>(random.below(3));
  c.pkmap = 8, c.vmalloc = 20;
  c.add_zone(ref::core::ZoneKind::normal, 64);
  c.add_zone(ref::core::ZoneKind::highmem, 16);
  Machine m(c);
  QuietEnv env;
  const ref::core::Window& w = m.mmu.window;
  for (std::uint64_t steps = random.below(60); steps > 0; --steps) {
    const bool high = random.chance(2);
    const std::uint64_t page = random.below(high ? 8 : 20);
    const Address at{(high ? w.pkmap_base : w.vmalloc_start) + page * c.page_bytes};
    ref::core::select_cpu(m, static_cast<std::uint32_t>(random.below(c.cpus)));
    if (ref::mmu::needs_table(m, at)) {
      const auto table =
          ref::buddy::get_zeroed_page(env, m, ref::core::gfp_of(c.era, "GFP_KERNEL"));
      if (table) ref::mmu::install_table(m, at, *ref::buddy::virt_to_pfn(m, *table));
    }
    switch (random.below(6)) {
      case 0: ref::mmu::unmap(m, at); break;
      case 1: ref::mmu::flush_page(m, at, ref::mmu::Cpus::local); break;
      case 2: ref::mmu::prefetch(m, m.globals().cpu, at); break;
      default:
        if (!ref::mmu::needs_table(m, at))
          (void)ref::mmu::map(m, at, static_cast<ref::core::Pfn>(64 + random.below(16)));
        ref::mmu::prefetch(m, m.globals().cpu, at);
    }
  }
  ref::core::clear_log(m);
  return m;
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
          judge_flip(before, m, record, i, field, random.below(field.bytes * 8), tallies);
    }
  }
}

TEST(MmuFields, a_flipped_bit_is_noticed_unless_it_is_free) {
  Tallies tallies;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
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
    const bool seldom = field.record == "directory";  // one frame in many could be a table
    if (!seldom) { EXPECT_EQ(tally.free > 0, field.is_free != nullptr) << field.name; }
  }
  for (const std::string_view rule : kept) EXPECT_TRUE(promised.contains(rule)) << rule;
}

TEST(MmuFields, name_rules_that_exist) {
  for (const Field& field : fields())
    for (const std::string_view rule : words(field.rules))
      EXPECT_NE(find_rule(rule), nullptr) << field.record << ' ' << field.name;
}

TEST(MmuFields, the_page_is_what_the_register_says) {
  const std::filesystem::path committed =
      std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "props/mmu/FIELDS.md";
  std::ifstream in(committed);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text == fields_page()) return;
  const std::filesystem::path renewed =
      std::filesystem::path(::testing::TempDir()) / "MMU_FIELDS.md";
  std::ofstream(renewed) << fields_page();
  ADD_FAILURE() << "the register changed; renew the page with\n  cp " << renewed.string() << ' '
                << committed.string();
}

}  // namespace
}  // namespace props::mmu
