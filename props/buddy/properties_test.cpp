// Properties of whole generated traces; the name of each is the sentence that must be true.
//
// RapidCheck draws a seed, our generator draws the machine and the steps: its weights know what a
// step needs. Nothing is shrunk here; a failing seed becomes a trace, and our minimizer shrinks it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "props/buddy/layer.hpp"

namespace props::buddy {
namespace {

using ref::buddy::Machine;
using ref::buddy::PageKind;
using ref::core::Index;
using Step = World::Step;
using Trace = Layer::Trace;

struct QuietEnv final : ref::core::Env {};

struct Run {
  Newborn newborn;
  Trace trace;
  World world;
};

// Draws a machine and up to 200 steps, and runs them.
Run draw_run(const Judging& judging) {
  const auto seed =
      *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
  Random random(seed);
  const Config config = draw_machine(random);
  Run run{Newborn(config), {config, {}, {}, {}}, World(Newborn(config), judging)};
  const Generator generator(random);
  for (auto n = 16 + random.below(185); n > 0; --n) {
    run.trace.steps.push_back(generator.draw(run.world, random));
    run.world.apply(run.trace.steps.back());
  }
  return run;
}

void require_right(const World& world) {
  if (const auto& v = world.violation())
    RC_FAIL(std::string(v->rule->id) + ": expected " + v->expected + ", actual " + v->actual);
}

ref::core::Hash digest_of(const Newborn& newborn, const std::vector<Step>& steps) {
  World world(newborn, Judging::cheap());
  for (const Step& step : steps) world.apply(step);
  return world.digest();
}

using Shape = std::set<std::pair<Pfn, unsigned>>;

Shape shape_of(const Machine& m) {
  Shape shape;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i) {
      const auto& page = ref::buddy::page_at(m, zone.map + i);
      if (page.kind == PageKind::free_head) shape.insert({zone.first + i, page.order});
    }
  }
  return shape;
}

// What is left to have in the largest blocks when all but reserved and lost frames is free.
Shape shape_without_lost(const Newborn& newborn, const Machine& m, bool& any_lost) {
  PageOracle oracle = newborn.oracle;
  Shape shape;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i)
      if (ref::buddy::page_at(m, zone.map + i).kind == PageKind::leaked)
        oracle.lost(zone.first + i, 1), any_lost = true;
    for (const FreeBlock& b : oracle.free_blocks(z)) shape.insert({b.pfn, b.order});
  }
  return shape;
}

// Gives every live block of the machine back, as good owners would.
void free_everything(Machine& m) {
  QuietEnv env;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto zone = ref::buddy::zone_at(m, z);
    for (Pfn pfn = zone.first; pfn < zone.first + zone.pages; ++pfn) {
      const auto page = ref::buddy::page_at(m, ref::buddy::page_index(zone, pfn));
      if (page.kind != PageKind::live_head) continue;
      ref::buddy::set_page_flags(m, pfn, 0);
      ref::buddy::set_page_mapcount(m, pfn, 0);
      while (ref::buddy::page_count(m, pfn) > 1) ref::buddy::put_page(env, m, pfn);
      ref::buddy::free_pages_(env, m, pfn, page.order);
    }
  }
  ref::buddy::drain_all_pages(env, m);
}

RC_GTEST_PROP(Pages, freeing_everything_restores_the_newborn_shape_once_drained, ()) {
  const Run run = draw_run(Judging::cheap());
  require_right(run.world);
  Machine m = run.world.machine();
  free_everything(m);
  bool any_lost = false;
  const Shape wanted = shape_without_lost(run.newborn, m, any_lost);
  RC_CLASSIFY(any_lost, "pages were lost");
  RC_CLASSIFY(shape_of(run.world.machine()) != wanted, "something was live or parked");
  RC_ASSERT(shape_of(m) == wanted);
  RC_ASSERT(any_lost || shape_of(m) == shape_of(run.newborn.machine));
}

RC_GTEST_PROP(Pages, the_reference_breaks_no_rule_on_any_trace, ()) {
  Run run = draw_run(Judging::everything());
  run.world.finish();
  require_right(run.world);
}

RC_GTEST_PROP(Pages, a_snapshot_is_independent_and_goes_on_as_the_original_does, ()) {
  const Run run = draw_run(Judging::cheap());
  const std::size_t half = run.trace.steps.size() / 2;
  World world(run.newborn, Judging::cheap());
  for (std::size_t i = 0; i < half; ++i) world.apply(run.trace.steps[i]);
  World snapshot = world;
  const auto digest = snapshot.digest();
  for (std::size_t i = half; i < run.trace.steps.size(); ++i) world.apply(run.trace.steps[i]);
  RC_ASSERT(snapshot.digest() == digest);
  RC_ASSERT(snapshot.machine().arena.hash_of_all() == snapshot.machine().arena.hash());
  for (std::size_t i = half; i < run.trace.steps.size(); ++i) snapshot.apply(run.trace.steps[i]);
  RC_ASSERT(snapshot.digest() == run.world.digest());
}

RC_GTEST_PROP(Pages, text_and_bytes_keep_what_a_trace_does, ()) {
  const Run run = draw_run(Judging::cheap());
  const std::string text = print_trace(run.trace);
  const auto read = parse_trace<Operation>(text);
  RC_ASSERT(read.has_value());
  RC_ASSERT(print_trace(*read) == text);
  RC_ASSERT(read->machine == run.trace.machine);
  RC_ASSERT(digest_of(Newborn(read->machine), read->steps) == run.world.digest());
  const Trace decoded = decode_trace<Operation>(encode_trace(run.trace));
  RC_ASSERT(print_trace(decoded) == text);
  RC_ASSERT(digest_of(Newborn(decoded.machine), decoded.steps) == run.world.digest());
}

RC_GTEST_PROP(Pages, equal_traces_give_equal_digests_also_after_reset, ()) {
  const Run run = draw_run(Judging::cheap());
  RC_ASSERT(digest_of(run.newborn, run.trace.steps) == run.world.digest());
  World used = run.world;
  used.reset(run.newborn, Judging::cheap());
  RC_ASSERT(used.digest() == World(run.newborn, Judging::cheap()).digest());
  for (const Step& step : run.trace.steps) used.apply(step);
  RC_ASSERT(used.digest() == run.world.digest());
}

// Judging more must not change what happens. Stamps are part of the state, so both write the same.
RC_GTEST_PROP(Pages, what_is_judged_does_not_change_what_happens, ()) {
  const Run run = draw_run(Judging{.stamps = Judging::everything().stamps});
  World watched(run.newborn, Judging::everything());
  for (const Step& step : run.trace.steps) watched.apply(step);
  require_right(watched);
  RC_ASSERT(watched.digest() == run.world.digest());
}

}  // namespace
}  // namespace props::buddy
