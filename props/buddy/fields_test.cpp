// Guards the guards: flips bits of reachable states, and expects each rule to see its fields.
#include "props/buddy/fields.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "props/buddy/generator.hpp"
#include "props/core/page_tests.hpp"

namespace props::buddy {
namespace {

using ref::core::EraId;
using ref::core::Index;

std::set<std::string_view> words(std::string_view text) {
  std::set<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    found.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

// What generated runs seldom end with: scribbles, pages just lost, and a call that waits.
void end_specially(World& world, Random& random) {
  const auto zone = world.machine().config.zones[0];
  const auto reg = [](std::size_t r) { return PageRegister{static_cast<std::uint8_t>(r)}; };
  const auto is_vacant = [&](std::size_t r) { return !world.blocks()[r].live; };
  const auto apply = [&](const Operation& op) {
    World::Step step;
    step.op = op;
    world.apply(step);
  };
  const Gfp waits = ref::core::gfp_of(world.machine().config.era, "GFP_KERNEL");
  switch (random.below(8)) {
    case 0:
      for (int n = 0; n < 3; ++n)
        apply(ScribblePageFlags{{zone.first + random.below(zone.pages)}, {ref::buddy::PG_dirty}});
      return;
    case 1:
      for (std::size_t r = 0; r < PageRegister::count; ++r)
        if (!is_vacant(r) && random.chance(3))
          apply(FreePagesByPage{reg(r), {world.blocks()[r].order + 1u}});
      return;
    case 2:
    case 3:
      for (std::size_t r = 0; r < PageRegister::count && !world.suspended(); ++r) {
        const std::uint64_t bytes = (1 + random.below(8)) * world.machine().config.page_bytes;
        if (is_vacant(r)) apply(AllocPagesExact{reg(r), {bytes}, {waits}});
      }
      return;
    default: return;
  }
}

// A state that can be reached, and all who may notice that it is no longer what it was.
class Reached {
 public:
  Reached(const Config& config, Random& random, std::uint64_t steps)
      : newborn_(config), world_(newborn_, Judging{.stamps = Stamps::spaced}), probe_(world_) {
    const Generator generator(random);
    for (; steps > 0; --steps) world_.apply(generator.draw(world_, random));
    end_specially(world_, random);
    EXPECT_FALSE(world_.violation()) << world_.violation()->rule->id;
    before_ = std::make_unique<Machine>(world_.machine());
    model_ = std::make_unique<Model>(Model::of(*before_));
    EXPECT_EQ(noticed(), "");
  }

  const Machine& machine() const { return *before_; }
  // The rule that notices, "" for none; and whether nobody had to.
  std::string_view flip(const Record& record, std::uint64_t i, std::size_t byte, unsigned bit,
                        const Field& field, bool& is_free) {
    auto& m = const_cast<Machine&>(world_.machine());
    std::byte& at = record.edit(m, i)[byte];
    at ^= std::byte(1u << bit);
    is_free = field.is_free != nullptr && field.is_free({*before_, world_, i, byte});
    const std::string_view rule = noticed();
    at ^= std::byte(1u << bit);
    return rule;
  }
  std::string picture() const { return world_.picture(); }

 private:
  // The records first, then what the registers know, then the naive model.
  std::string_view noticed() {
    if (const auto finding = first_broken(world_.machine())) return finding->rule;
    probe_ = world_;
    probe_.finish();
    if (probe_.violation()) return probe_.violation()->rule->id;
    return model_->difference(world_.machine()) ? "BUDDY-ORDERED" : "";
  }

  Newborn newborn_;
  World world_, probe_;
  std::unique_ptr<Machine> before_;
  std::unique_ptr<Model> model_;
};

struct Tally {
  std::map<std::string_view, std::uint64_t> noticed;  // by rule
  std::uint64_t free = 0;
  std::map<std::uint64_t, std::uint64_t> kinds;
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
           ", byte " + std::to_string(byte - field.offset) + ", bit " + std::to_string(bit) + "\n" +
           state.picture();
  };
  if (is_free) {
    ASSERT_EQ(rule, "") << "registered as free: " << where();
    ++tally.free;
  } else {
    ASSERT_NE(rule, "") << "registered as checked: " << where();
    ASSERT_TRUE(words(field.rules).contains(rule)) << "by " << rule << ": " << where();
    ++tally.noticed[rule];
  }
}

const Field& field_at(const Record& record, std::size_t byte) {
  return *std::ranges::find_if(fields(), [&](const Field& f) {
    return f.record == record.name && byte - f.offset < f.bytes;
  });
}

void flip_all(Reached& state, Tallies& tallies) {
  for (const Record& record : records())
    for (std::uint64_t i = 0; i < record.count(state.machine()); ++i)
      for (std::size_t byte = 0; byte < record.bytes; ++byte)
        for (unsigned bit = 0; bit < 8; ++bit)
          ASSERT_NO_FATAL_FAILURE(
              judge_flip(state, record, i, field_at(record, byte), byte, bit, tallies));
}

void flip_some(Reached& state, Random& random, Tallies& tallies) {
  for (const Record& record : records()) {
    const std::uint64_t count = record.count(state.machine());
    for (unsigned n = count == 1 ? 20 : 8; n > 0; --n) {
      const std::uint64_t i = random.below(count);
      for (const Field& field : fields()) {
        if (field.record != record.name) continue;
        // What is free by a little, as a count of events where a page is lost, is so in the lowest
        // byte.
        const std::size_t byte = field.offset + (random.chance(2) ? 0 : random.below(field.bytes));
        ASSERT_NO_FATAL_FAILURE(judge_flip(state, record, i, field, byte,
                                           static_cast<unsigned>(random.below(8)), tallies));
      }
    }
  }
}

// Four frames with both zones' neighbours, so that all bits can be flipped.
Config tiny(EraId era, Random& random) {
  Config c;
  c.era = era;
  c.page_bytes = 64;
  c.orders = 3;
  c.pcp = random.chance(2);
  c.add_zone_at(ref::core::ZoneKind::dma, static_cast<Pfn>(random.below(4)), 6);
  c.add_zone(ref::core::ZoneKind::normal, 4);
  c.reserved[c.reserved_count++] = {c.zones[0].first, c.zones[0].first};
  return c;
}

TEST(Fields, a_flipped_bit_is_noticed_unless_it_is_free) {
  Tallies tallies;
  std::map<EraId, int> eras;
  std::set<ref::buddy::PageKind> kinds;
  int states = 0, waiting = 0, scribbled = 0;
  for (std::uint64_t seed = 0; states < 700; ++seed) {
    Random random(seed);
    const Config config = draw_machine(random);
    if (config.pages() > 80) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    Reached state(config, random, 10 + random.below(110));
    const Machine& m = state.machine();
    ++states, ++eras[config.era];
    scribbled += m.arena.at(m.buddy.sysctl, 0).scribbled > 0;
    for (std::uint64_t t = 0; t < m.core.task.count; ++t)
      waiting += m.arena.at(m.core.task, t).wait.call != 0;
    for (Index i = 0; i < config.pages(); ++i) kinds.insert(ref::buddy::page_at(m, i).kind);
    ASSERT_NO_FATAL_FAILURE(flip_some(state, random, tallies));
  }
  EXPECT_GT(eras[EraId::linux_2_6_11], 60);
  EXPECT_GT(eras[EraId::linux_6_1], 60);
  EXPECT_EQ(kinds.size(), 6u);  // each kind of frame was there to be flipped
  EXPECT_GT(waiting, 10);
  EXPECT_GT(scribbled, 10);
  // The register promises neither too little nor too much.
  for (const Field& field : fields()) {
    const Tally& tally = tallies[{field.record, field.name}];
    for (const std::string_view rule : words(field.rules))
      EXPECT_TRUE(tally.noticed.contains(rule)) << field.record << ' ' << field.name << ' ' << rule;
    EXPECT_EQ(tally.free > 0, field.is_free != nullptr) << field.record << ' ' << field.name;
  }
}

TEST(Fields, every_bit_of_small_states_is_flipped) {
  Tallies tallies;
  for (const EraId era : {EraId::linux_2_6_11, EraId::linux_6_1})
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      Random random(seed);
      Reached state(tiny(era, random), random, 20 + random.below(40));
      SCOPED_TRACE("seed " + std::to_string(seed));
      ASSERT_NO_FATAL_FAILURE(flip_all(state, tallies));
    }
  EXPECT_EQ(tallies.size(), fields().size());
}

// The tables of the arena, each laid behind the one before, are the ones that are registered.
TEST(Fields, no_table_of_the_arena_is_forgotten) {
  Random random(1);
  Machine m(tiny(EraId::linux_6_1, random));
  const std::byte* const start = records().front().edit(m, 0);
  std::size_t end = 0;
  for (const Record& record : records()) {
    if (!record.in_arena) continue;
    const std::size_t aligned = (end + record.bytes - 1) / record.bytes * record.bytes;
    EXPECT_EQ(static_cast<std::size_t>(record.edit(m, 0) - start), aligned) << record.name;
    end = aligned + record.count(m) * record.bytes;
  }
  EXPECT_EQ(end, m.arena.size());
}

TEST(Fields, name_rules_that_exist) {
  for (const Field& field : fields())
    for (const std::string_view rule : words(field.rules))
      EXPECT_NE(find_rule(rules(), rule), nullptr) << field.record << ' ' << field.name;
}

TEST(Fields, the_page_is_what_the_register_says) {
  expect_committed("props/buddy/FIELDS.md", fields_page());
}

}  // namespace
}  // namespace props::buddy
