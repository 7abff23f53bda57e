// The naive model against the reference: the same random calls, and every list equal after each.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "props/buddy/model.hpp"
#include "props/core/probe.hpp"
#include "ref/buddy/buddy.hpp"
#include "ref/buddy/watermark.hpp"

namespace props::buddy {
namespace {

using namespace ref::core;
using ref::buddy::Refused;

enum class Kind : std::uint8_t { block, compound, exact };
struct Live {
  Pfn pfn;
  unsigned order;
  Kind kind;
};
struct Waiting {
  Gfp gfp = 0;
  unsigned order = 0;
  std::uint64_t bytes = 0;  // of an exact request
};

// Both sides, the calls so far, and the first disagreement.
class Duel {
 public:
  Duel(const Config& config, std::uint64_t seed) : machine_(config), model_(config), random_(seed) {
    compare("newborn");
  }

  // Reached so far, for the test that looks whether the run was worth anything.
  std::map<std::string, unsigned> reached;
  std::string failure;

  void step() {
    clear_log(machine_);
    if (ref::buddy::is_suspended(machine_)) {
      if (chance(2) || !switch_task(machine_, below(task_count))) try_again();
      if (ref::buddy::is_suspended(machine_) && !live_.empty()) return interrupt_frees();
      if (ref::buddy::is_suspended(machine_)) return;
    }
    const std::uint32_t roll = below(100);
    if (roll < 36) return allocate();
    if (roll < 66) return give_back();
    if (roll < 70) return allocate_exact();
    if (roll < 76) return allocate_bulk();
    if (roll < 80) return drain();
    if (roll < 84) return split_or_share();
    if (roll < 92) return change_context();
    change_limits();
  }

  void resynchronise() {
    model_ = Model::of(machine_);
    compare("resynchronised");
  }

  // After giving everything back, the newborn lists' blocks are all there again.
  void give_everything_back() {
    while (!live_.empty() && failure.empty()) give_back();
    if (failure.empty()) {
      drain_all_pages(env_, machine_), model_.drain_all();
      compare("drain_all_pages at the end");
    }
  }

 private:
  std::uint32_t below(std::uint32_t n) {
    return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_);
  }
  bool chance(std::uint32_t one_in) { return below(one_in) == 0; }
  Caller caller() const { return caller_of(machine_); }

  void compare(const std::string& call) {
    calls_ += call + "\n";
    if (!failure.empty()) return;
    if (const auto different = model_.difference(machine_)) fail(*different);
  }
  void fail(const std::string& what) {
    if (failure.empty()) failure = "after\n" + calls_ + "  " + what;
  }

  Gfp draw_gfp() {
    constexpr std::array names{"GFP_KERNEL",   "GFP_KERNEL",   "GFP_ATOMIC", "GFP_NOWAIT",
                               "GFP_HIGHUSER", "GFP_HIGHUSER", "GFP_NOIO",   "GFP_DMA"};
    Gfp gfp = gfp_of(machine_.config.era, names[below(names.size())]);
    if (chance(3)) gfp |= Gfp{1} << below(gfp_bit_count);
    if (chance(6)) gfp |= Gfp{1} << below(gfp_bit_count);
    if (chance(20)) gfp &= ~Gfp{GFP_BIT_DIRECT_RECLAIM};
    return gfp & gfp_known(machine_.config.era);
  }

  // The answers must be the same, and a frame that is granted becomes live.
  void judge(const std::string& call, const Prediction& predicted,
             const std::expected<Pfn, Refused>& actual, const Waiting& request) {
    Prediction answer;
    if (actual) {
      const ref::buddy::Zone& zone = zone_at(machine_, zone_of_pfn(machine_, *actual));
      const auto flags = page_at(machine_, page_index(zone, *actual)).flags;
      answer = {Outcome::granted, *actual, (flags & ref::buddy::PG_pfmemalloc) != 0};
    } else {
      switch (actual.error()) {
        case Refused::no_memory: answer.outcome = Outcome::no_memory; break;
        case Refused::suspended: answer.outcome = Outcome::suspended; break;
        case Refused::misuse: answer.outcome = Outcome::misuse; break;
      }
    }
    constexpr std::array names{"granted", "no_memory", "suspended", "misuse"};
    const auto text = [&](const Prediction& p) {
      return fmt::format("{} {}{}", names[static_cast<std::size_t>(p.outcome)], p.pfn,
                         p.pfmemalloc ? " pfmemalloc" : "");
    };
    compare(call + " -> " + text(answer));
    if (predicted != answer) fail("answer: model " + text(predicted) + ", machine " + text(answer));
    ++reached[names[static_cast<std::size_t>(answer.outcome)]];
    if (answer.pfmemalloc) ++reached["pfmemalloc"];
    if (answer.outcome == Outcome::suspended) waiting_[machine_.cpu().task] = request;
    if (answer.outcome != Outcome::granted) return;
    if (request.bytes > 0) {
      const std::uint64_t pages = (request.bytes - 1) / machine_.config.page_bytes + 1;
      for (Pfn i = 0; i < pages; ++i) live_.push_back({answer.pfn + i, 0, Kind::exact});
    } else {
      const bool compound = (request.gfp & GFP_BIT_COMP) != 0 && request.order > 0;
      live_.push_back({answer.pfn, request.order, compound ? Kind::compound : Kind::block});
    }
  }

  std::string gfp_text(Gfp gfp) const { return print_gfp(machine_.config.era, gfp); }

  void allocate() {
    const Gfp gfp = draw_gfp();
    const unsigned order = chance(3) ? below(machine_.config.orders + 1) : below(2);
    const Prediction predicted = model_.alloc_pages(caller(), gfp, order);
    const auto actual = alloc_pages(env_, machine_, gfp, order);
    judge(fmt::format("alloc_pages(order={}, gfp={})", order, gfp_text(gfp)), predicted, actual,
          {gfp, order, 0});
  }

  void allocate_exact() {
    const Gfp gfp = draw_gfp();
    const std::uint64_t bytes = below(20 * machine_.config.page_bytes) + (chance(10) ? 0 : 1);
    const Prediction predicted = model_.alloc_exact(caller(), gfp, bytes);
    const auto address = alloc_pages_exact(env_, machine_, bytes, gfp);
    std::expected<Pfn, Refused> actual = std::unexpected(Refused::no_memory);
    if (!address) actual = std::unexpected(address.error());
    else if (const auto pfn = virt_to_pfn(machine_, *address)) actual = *pfn;
    judge(fmt::format("alloc_pages_exact(bytes={}, gfp={})", bytes, gfp_text(gfp)), predicted,
          actual, {gfp, 0, bytes});
  }

  void allocate_bulk() {
    const Gfp gfp = draw_gfp();
    std::vector<std::optional<Pfn>> slots(below(12));
    for (auto& slot : slots)
      if (chance(4)) slot = 0;
    std::vector<std::optional<Pfn>> before = slots;
    std::size_t empty = 0, leading = 0;
    for (const auto& slot : slots) empty += slot ? 0 : 1;
    while (leading < slots.size() && slots[leading]) ++leading;
    const auto predicted = model_.alloc_pages_bulk(caller(), gfp, empty, slots.size(), leading);
    (void)alloc_pages_bulk(env_, machine_, gfp, slots);
    compare(fmt::format("alloc_pages_bulk({} empty of {}, {} leading filled, gfp={})", empty,
                        slots.size(), leading, gfp_text(gfp)));
    std::size_t next = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (before[i] || !slots[i]) continue;
      if (next >= predicted.size() || predicted[next++].pfn != *slots[i])
        fail(fmt::format("slot {} holds {}, not predicted", i, *slots[i]));
      live_.push_back({*slots[i], 0, Kind::block});
    }
    if (next != predicted.size()) fail("a bulk request granted less than predicted");
    if (next > 1) ++reached["bulk"];
    if (ref::buddy::is_suspended(machine_)) waiting_[machine_.cpu().task] = {gfp, 0, 0};
  }

  void try_again() {
    const std::uint32_t task = machine_.cpu().task;
    const Waiting request = waiting_[task];
    const Prediction predicted = request.bytes > 0
                                     ? model_.resume_exact(caller(), request.gfp, request.bytes)
                                     : model_.resume(caller(), request.gfp, request.order);
    judge("resume()", predicted, ref::buddy::resume(env_, machine_), request);
  }

  Live take_one_live() {
    const std::size_t at = below(static_cast<std::uint32_t>(live_.size()));
    const Live live = live_[at];
    live_[at] = live_.back();
    live_.pop_back();
    return live;
  }

  void give_back() {
    if (live_.empty()) return;
    const Live live = take_one_live();
    const bool cold = live.order == 0 && chance(4);
    if (cold) free_cold_page(env_, machine_, live.pfn);
    else if (live.kind == Kind::compound && chance(2))
      put_page(env_, machine_, live.pfn + below(1u << live.order));
    else free_pages_(env_, machine_, live.pfn, live.order);
    const std::uint64_t before = pages_free();
    model_.free_block(caller(), live.pfn, live.order, cold);
    if (pages_free() > before + (1u << live.order)) ++reached["flushed"];
    compare(
        fmt::format("free_pages(pfn={}, order={}{})", live.pfn, live.order, cold ? ", cold" : ""));
  }

  std::uint64_t pages_free() const {
    std::uint64_t sum = 0;
    for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z) sum += model_.free_pages(z);
    return sum;
  }

  // Everybody waits: somebody else's pages come back in an interrupt.
  void interrupt_frees() {
    ++reached["freed while waiting"];
    give_back();
  }

  void drain() {
    if (chance(2)) {
      drain_local_pages(machine_), model_.drain_cpu(machine_.globals().cpu);
      compare("drain_local_pages()");
    } else {
      drain_all_pages(env_, machine_), model_.drain_all();
      compare("drain_all_pages()");
    }
  }

  // A high-order block becomes single pages; or outlives its owner's free by another's reference.
  void split_or_share() {
    if (live_.empty()) return;
    const Live live = take_one_live();
    if (live.order == 0 || live.kind != Kind::block) return live_.push_back(live);
    if (chance(2) || machine_.config.era == EraId::linux_2_6_11) {
      split_page(machine_, live.pfn, live.order);
      for (Pfn i = 0; i < Pfn{1} << live.order; ++i)
        live_.push_back({live.pfn + i, 0, Kind::block});
      return compare(fmt::format("split_page(pfn={}, order={})", live.pfn, live.order));
    }
    ++reached["shared"];
    get_page(machine_, live.pfn);
    free_pages_(env_, machine_, live.pfn, live.order);
    for (unsigned order = live.order; order-- > 0;)  // B-33
      model_.free_block(caller(), live.pfn + (Pfn{1} << order), order, false);
    compare(fmt::format("get_page and free_pages(pfn={}, order={})", live.pfn, live.order));
    put_page(env_, machine_, live.pfn);
    model_.free_block(caller(), live.pfn, 0, false);
    compare("put_page");
  }

  void change_context() {
    const std::uint32_t roll = below(6);
    std::string call;
    if (roll == 0) {
      const std::uint32_t cpu = below(machine_.config.cpus);
      select_cpu(machine_, cpu);
      call = fmt::format("cpu({})", cpu);
    } else if (roll == 1) {
      const std::uint32_t flags = chance(2) ? 0 : 1u << below(4);
      set_task_flags(machine_, flags);
      call = fmt::format("task flags {}", flags);
    } else if (roll == 2) {
      const std::uint32_t task = below(task_count);
      call = fmt::format("task {}: {}", task, switch_task(machine_, task));
    } else {
      const auto move = static_cast<ContextMove>(below(10) | (chance(2) ? 1u : 0u));
      call = fmt::format("{}: {}", context_move_names[static_cast<std::size_t>(move)],
                         move_context(machine_, move));
    }
    compare(call);
  }

  void change_limits() {
    const std::uint32_t roll = below(4);
    const std::uint32_t kbytes =
        static_cast<std::uint32_t>(machine_.config.pages() * machine_.config.page_bytes / 1024);
    if (roll == 0) {
      const std::uint32_t value = chance(2) ? 0 : below(kbytes / 4 + 2);
      set_min_free_kbytes(machine_, value), model_.set_min_free_kbytes(value);
      compare(fmt::format("min_free_kbytes {}", value));
    } else if (roll == 1) {
      const ZoneKind kind = chance(2) ? ZoneKind::dma : ZoneKind::normal;
      const std::uint32_t ratio = chance(2) ? 0 : 1 + below(64);
      set_lowmem_reserve_ratio(machine_, kind, ratio), model_.set_lowmem_reserve_ratio(kind, ratio);
      compare(fmt::format("lowmem_reserve_ratio {} {}", static_cast<int>(kind), ratio));
    } else if (roll == 2) {
      const std::uint32_t zone = below(machine_.config.zone_count);
      const bool active = chance(2);
      set_reclaim_active(machine_, zone, active), model_.set_reclaim_active(zone, active);
      compare(fmt::format("reclaim_active {} {}", zone, active));
    } else {
      const std::uint32_t nth = below(4);
      plan_failure(machine_, nth), model_.plan_failure(nth);
      compare(fmt::format("fail_page_alloc {}", nth));
    }
  }

  QuietEnv env_;
  ref::buddy::Machine machine_;
  Model model_;
  std::mt19937_64 random_;
  std::vector<Live> live_;
  std::map<std::uint32_t, Waiting> waiting_;
  std::string calls_;
};

// Some geometry: small zones at crooked places, or one zone large enough for batches of several.
Config draw_config(EraId era, std::mt19937_64& random) {
  const auto below = [&](std::uint32_t n) {
    return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random);
  };
  Config c;
  c.era = era;
  c.page_bytes = below(2) == 0 ? 4096 : 64u << below(11);
  c.orders = below(2) == 0 ? orders_max : 1 + below(orders_max);
  c.nodes = era == EraId::linux_6_1 && below(3) == 0 ? 1 + below(nodes_max) : 1;
  c.cpus = 1 + below(4);
  c.pcp = below(5) != 0;
  Pfn at = below(3) == 0 ? below(40) : 0;
  for (std::uint32_t node = 0; node < c.nodes; ++node) {
    for (const ZoneKind kind : {ZoneKind::dma, ZoneKind::normal, ZoneKind::highmem}) {
      const bool must = c.zone_count == 0 && node + 1 == c.nodes && kind == ZoneKind::highmem;
      if (!must && below(3) == 0) continue;
      const std::uint32_t pages = below(12) == 0 ? 8192 + below(30000) : 1 + below(80);
      c.add_zone_at(kind, at, pages, node);
      if (below(4) == 0 && pages > 4) {
        const Pfn first = at + below(pages - 3);
        c.reserved[c.reserved_count++] = {first, first + below(3)};
      }
      at += pages + (below(3) == 0 ? below(9) : 0);
    }
  }
  if (below(2) == 0)
    c.min_free_kbytes = below(static_cast<std::uint32_t>(c.pages() * c.page_bytes / 1024 / 4 + 2));
  if (below(2) == 0) c.lowmem_reserve_ratio = {below(40), below(40)};
  return c;
}

std::map<std::string, unsigned> duels(EraId era, std::uint64_t count, unsigned steps) {
  std::map<std::string, unsigned> reached;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    std::mt19937_64 random(seed * 2 + static_cast<std::uint64_t>(era));
    const Config config = draw_config(era, random);
    EXPECT_FALSE(validate(config)) << "seed " << seed;
    if (validate(config)) return reached;
    Duel duel(config, random());
    for (unsigned i = 0; i < steps && duel.failure.empty(); ++i) {
      duel.step();
      if (i == steps / 2 && duel.failure.empty()) duel.resynchronise();
    }
    duel.give_everything_back();
    for (const auto& [what, times] : duel.reached) reached[what] += times;
    std::string zones;
    for (std::uint32_t z = 0; z < config.zone_count; ++z)
      zones += fmt::format(" {}.{}@{}:{}", config.zones[z].node,
                           zone_names[static_cast<std::size_t>(config.zones[z].kind)],
                           config.zones[z].first, config.zones[z].pages);
    EXPECT_EQ(duel.failure, "") << "seed " << seed << zones << " orders " << config.orders
                                << " cpus " << config.cpus << " pcp " << config.pcp;
    if (!duel.failure.empty()) return reached;
  }
  return reached;
}

void expect_reached(std::map<std::string, unsigned>& reached, std::vector<std::string> what) {
  for (const std::string& name : what) EXPECT_GT(reached[name], 20u) << name;
}

TEST(ModelAndReference, AgreeOnRandomCallsInTheOldEra) {
  auto reached = duels(EraId::linux_2_6_11, 200, 300);
  expect_reached(reached, {"granted", "no_memory", "suspended", "misuse", "bulk", "flushed"});
}

TEST(ModelAndReference, AgreeOnRandomCallsInTheNewEra) {
  auto reached = duels(EraId::linux_6_1, 300, 300);
  expect_reached(reached, {"granted", "no_memory", "suspended", "misuse", "bulk", "flushed",
                           "pfmemalloc", "shared", "freed while waiting"});
}

}  // namespace
}  // namespace props::buddy
