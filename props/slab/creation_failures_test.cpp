// A creation that fails at each of its allocations in turn: nothing leaks, and every record is what
// it was.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "props/slab/reference_cases.hpp"
#include "ref/slab/alloc.hpp"

namespace props::slab::by_hand {
namespace {

// All records of the object allocator at rest, but for what a call that failed may leave otherwise:
// the next colour, what was touched, the order of slabs in a list and of free objects in a slab.
Machine records(Kernel k) {
  k.settle();
  Machine& m = k.m;
  for (Index c = 0; c < caches_max; ++c) {
    edit_cache(m, c).colour_next = 0;
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
      edit_array(m, cpu_array(m, c, cpu)).touched = 0;
    for (std::uint32_t n = 0; n < m.config.nodes; ++n) {
      edit_array(m, shared_array(m, c, n)).touched = 0;
      Node& node = edit_node(m, c, n);
      node.colour_next = node.free_touched = 0;
      for (List* list : {&node.full, &node.partial, &node.free}) list->head = list->tail = 0;
    }
  }
  for (Index page = 0; page < m.slab.slab.count; ++page) {
    Slab& s = edit_slab(m, page);
    s.next = s.prev = s.free = 0, s.freelist = 0;
  }
  return m;
}

template <class T>
void expect_same(std::string_view what, const Machine& a, const Machine& b,
                 const ref::core::Table<T>& table) {
  for (std::uint64_t i = 0; i < table.count; ++i)
    ASSERT_EQ(std::memcmp(&a.arena.at(table, i), &b.arena.at(table, i), sizeof(T)), 0)
        << what << ' ' << i;
}

// `a` and `b` hold the same tables, as they are machines of one config.
void expect_same_records(const Machine& a, const Machine& b) {
  const State& s = a.slab;
  expect_same("globals", a, b, s.globals);
  expect_same("cache", a, b, s.cache);
  expect_same("node", a, b, s.node);
  expect_same("array of a CPU", a, b, s.cpu_array);
  expect_same("shared array", a, b, s.shared_array);
  expect_same("alien array", a, b, s.alien_array);
  expect_same("entry of a CPU's array", a, b, s.cpu_entry);
  expect_same("entry of a shared array", a, b, s.shared_entry);
  expect_same("entry of an alien array", a, b, s.alien_entry);
  expect_same("slab of frame", a, b, s.slab);
  expect_same("live word", a, b, s.live);
  expect_same("own word", a, b, s.own);
  expect_same("general cache", a, b, s.general);
  EXPECT_EQ(ref::buddy::buddyinfo(a), ref::buddy::buddyinfo(b));
}

Config machine(EraId era, std::uint32_t cpus, std::uint32_t nodes) {
  Config c = plain(era);
  c.cpus = cpus, c.nodes = nodes;
  for (std::uint32_t node = 1; node < nodes; ++node) c.add_zone(ZoneKind::normal, 512, node);
  return c;
}

// Every machine of the tests below: 2.6.11 has one node.
template <class F>
void each_machine(F test) {
  for (const EraId era : eras)
    for (const std::uint32_t nodes : {1u, 2u})
      for (const std::uint32_t cpus : {1u, 2u, 4u})
        if (cpus >= nodes && (nodes == 1 || era == new_era)) test(machine(era, cpus, nodes));
}

std::string said(const Config& c) {
  return std::string(c.era == old_era ? "2.6.11" : "6.1") + ", CPUs " + std::to_string(c.cpus) +
         ", nodes " + std::to_string(c.nodes);
}

// Whose arrays are small enough that several of them lie in a page.
const CacheSpec wanted{.name = "new", .size = 2000};

// Objects that the allocator has for itself, by cache.
std::map<Index, std::uint32_t> own_objects(const Machine& m) {
  std::map<Index, std::uint32_t> count;
  for (Index page = 0; page < m.slab.slab.count; ++page) {
    if (slab_at(m, page).head != page + 1) continue;
    const Index cache = slab_at(m, page).cache - 1;
    for (std::uint32_t i = 0; i < cache_at(m, cache).num; ++i)
      count[cache] += has_bit(m, m.slab.own, place_in_slab(m, index_to_obj(m, page, i)));
  }
  return count;
}

// --- page requests ----------------------------------------------------------------------------

// The nth request for a page fails, for each n until the creation needs fewer. On several nodes
// another one serves instead, so all of them succeed.
TEST(SlabFailures, creating_fails_at_each_page_request_and_leaves_nothing) {
  each_machine([](Config config) {
    for (const bool debug : {false, true}) {
      SCOPED_TRACE(said(config) + (debug ? ", debugged" : ""));
      config.slab_debug = debug;
      Kernel stocked(config);
      (void)stocked.take_stock();
      const Machine before = records(stocked);
      std::uint32_t failures = 0, nth = 1;
      for (bool enough = false; !enough; ++nth) {
        ASSERT_LT(nth, 50u);
        Kernel k = stocked;
        plan_failure(k.m, nth);
        const auto c = k.ask_cache(wanted);
        enough = k.m.globals().fail_page_alloc != 0;  // the failure is still to come
        plan_failure(k.m, 0);
        EXPECT_EQ(k.fault(), Fault::none);
        failures += !c;
        if (!c) {
          EXPECT_EQ(c.error(), Refused::no_memory);
        } else {
          EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, *c), Destroyed::gone);
        }
        expect_same_records(before, records(k));
        if (testing::Test::HasFailure()) return;
      }
      if (config.nodes == 1) { EXPECT_GE(failures, 2u); }  // a descriptor; a node, or an array
      EXPECT_GE(nth, config.cpus == 1 ? 3u : 4u);
    }
  });
}

// --- objects ----------------------------------------------------------------------------------

// A creation takes some objects of each of several classes. Stocks are filled so that it gets all
// of the other classes and only so many of one; and memory has no page, or a request for it fails.
class Scarce {
 public:
  explicit Scarce(const Config& config) : empty_(config) {
    for (int round = 0; round < 2; ++round) {  // the second finds everything in stock
      const auto before = own_objects(empty_.m);
      const CacheId c = empty_.create(wanted);
      for (const auto& [cache, count] : own_objects(empty_.m))
        if (const std::uint32_t had = before.contains(cache) ? before.at(cache) : 0; count > had)
          need_[cache] = count - had;
      EXPECT_EQ(*kmem_cache_destroy(empty_.env, empty_.m, c), Destroyed::gone);
      if (round == 0) need_.clear();
    }
    for (const Kernel::Stock& s : empty_.take_stock()) hold(s);
    for (const auto& [cache, count] : need_) {
      const CacheId c{cache};
      while (stock_[cache].size() < count || empty_.cpu(c).avail + empty_.node(c).free_objects > 0)
        hold({c, empty_.get(c)});
    }
  }
  const std::map<Index, std::uint32_t>& need() const { return need_; }

  // With `most` objects of that cache, and enough of the others.
  Kernel with(Index scarce, std::uint32_t most) const {
    Kernel k = empty_;
    for (const auto& [cache, count] : need_)
      for (std::uint32_t i = 0; i < (cache == scarce ? most : count); ++i)
        k.put(CacheId{cache}, stock_.at(cache)[i]);
    k.settle();
    return k;
  }

 private:
  // The first of each slab stays in use, so that no slab is free and goes.
  void hold(const Kernel::Stock& s) {
    if (const Index slab = empty_.slab(s.object).head; !slabs_.insert(slab).second)
      stock_[static_cast<Index>(s.cache)].push_back(s.object);
  }

  Kernel empty_;
  std::set<Index> slabs_;
  std::map<Index, std::vector<Address>> stock_;
  std::map<Index, std::uint32_t> need_;
};

void take_all_pages(Kernel& k) {
  while (ref::buddy::alloc_page(k.env, k.m, k.gfp("GFP_ATOMIC") | GFP_BIT_NOWARN)) {}
  clear_log(k.m);
}

// 6.1, one CPU and node:  descriptor, node.            2.6.11:  descriptor, an array for each CPU,
// more CPUs:              and a shared array.                   a shared array, which it can miss.
// two nodes:              twice that, with a table of alien arrays and an alien array for each.
TEST(SlabFailures, creating_fails_at_each_object_and_leaves_nothing) {
  each_machine([](const Config& config) {
    SCOPED_TRACE(said(config));
    const Scarce scarce(config);
    std::uint32_t objects = 0, missed = 0;
    for (const auto& [cache, need] : scarce.need())
      for (std::uint32_t most = 0; most < need; ++most, ++objects)
        for (const bool waits : {false, true}) {
          SCOPED_TRACE(std::string(name_of(cache_at(scarce.with(cache, 0).m, cache))) + ": " +
                       std::to_string(most) + (waits ? " and no page" : ""));
          Kernel k = scarce.with(cache, most);
          if (waits) take_all_pages(k);
          else plan_failure(k.m, 1);
          const Machine before = records(k);
          const auto c = k.ask_cache(wanted);
          plan_failure(k.m, 0);
          EXPECT_EQ(k.fault(), Fault::none);
          if (!c) {
            EXPECT_EQ(c.error(), waits ? Refused::suspended : Refused::no_memory);
          } else {
            ++missed;
            EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, *c), Destroyed::gone);
          }
          Kernel was = k;
          was.m = before;
          plan_failure(was.m, 0);
          expect_same_records(records(was), records(k));
          if (testing::Test::HasFailure()) return;
        }
    const std::uint32_t several = config.cpus > 1, nodes = config.nodes;
    const std::uint32_t of_node = 1 + several + (nodes > 1 ? nodes : 0);
    EXPECT_EQ(objects, 1 + (config.era == old_era ? config.cpus + several : nodes * of_node));
    // Where it succeeds all the same: 2.6.11 without its shared array, 6.1 from the other node.
    if (nodes == 1) {
      EXPECT_EQ(missed, config.era == old_era ? several : 0u);
    } else {
      EXPECT_GT(missed, 0u);
    }
  });
}

// On two nodes pages end after none, after one, and so on, until a creation has enough of them.
TEST(SlabFailures, on_two_nodes_memory_ends_at_each_page_in_turn) {
  Kernel stocked(machine(new_era, 2, 2));
  (void)stocked.take_stock();
  for (std::uint64_t left = 0;; ++left) {
    Kernel k = stocked;
    while (k.free_pages() > left)
      ASSERT_TRUE(ref::buddy::alloc_page(k.env, k.m, k.gfp("GFP_ATOMIC")).has_value());
    const Machine before = records(k);
    const auto c = k.ask_cache(wanted);
    if (c) {
      EXPECT_GE(left, 3u);  // table and arrays, shared array, node: three classes and a descriptor
      return;
    }
    EXPECT_EQ(c.error(), Refused::suspended);
    expect_same_records(before, records(k));
    ASSERT_LT(left, 20u);
  }
}

}  // namespace
}  // namespace props::slab::by_hand
