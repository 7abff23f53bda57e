// model: which frame the page allocator must hand out next, and what it must keep on every list.
//
//   zone NORMAL    order 0  [ 17 ]           front = head, the block that goes out first
//                  order 1  [ 18 26 ]        back  = tail, the block that goes out last
//                  CPU 0    [ 12 3 ]         order 0 and hot; other lists by order, or cold
//
// The obvious data structures, deques and linear searches, and nothing shared with ref/buddy: the
// model is a second opinion, written from the sentences and from the kernels' sources. Where the
// reference and the model differ, one of them is wrong, and `difference` says where to look.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "props/core/mixer.hpp"
#include "ref/buddy/machine.hpp"

namespace props::buddy {

// Who asks: what of the context matters to the page allocator.
struct Caller {
  std::uint32_t cpu = 0;
  bool atomic = false;        // may not sleep: what would have to wait is refused
  bool in_interrupt = false;  // hard or soft, or bottom halves are off
  bool serving_softirq = false;
  std::uint32_t task_flags = 0;  // ref::core::TaskFlag
  // in_interrupt is true only because bottom halves are off, so this is still a task's context.
  bool only_bottom_halves_off = false;
};
Caller caller_of(const ref::core::Machine&);

enum class Outcome : std::uint8_t { granted, no_memory, suspended, misuse };

struct Prediction {
  Outcome outcome = Outcome::no_memory;
  ref::core::Pfn pfn = 0;   // the first frame, when granted
  bool pfmemalloc = false;  // granted from below the watermarks (W-11)
  bool operator==(const Prediction&) const = default;
};

// Limits of one zone's per-CPU lists; [1] is the cold list of 2.6.11 and zero otherwise.
struct PcpLimits {
  std::array<std::uint32_t, 2> low{}, high{};
  std::uint32_t batch = 0;
};

class Model {
 public:
  using Config = ref::core::Config;
  using Gfp = ref::core::Gfp;
  using Pfn = ref::core::Pfn;
  using Mark = ref::buddy::Mark;
  using ZoneKind = ref::core::ZoneKind;

  explicit Model(const Config&);                // newborn: every managed frame is free
  static Model of(const ref::buddy::Machine&);  // taken over from a machine's lists

  Prediction alloc_pages(const Caller&, Gfp, unsigned order);
  // A suspended request, tried again: what it had to pass at first is not asked again.
  Prediction resume(const Caller&, Gfp, unsigned order);
  // B-43. The frames that fill empty slots, in order; `leading_filled` slots before the first empty
  // one are filled already.
  std::vector<Prediction> alloc_pages_bulk(const Caller&, Gfp, std::size_t empty_slots,
                                           std::size_t all_slots, std::size_t leading_filled);
  Prediction alloc_exact(const Caller&, Gfp, std::uint64_t bytes);  // B-42
  Prediction resume_exact(const Caller&, Gfp, std::uint64_t bytes);

  // The last reference of a block is gone. `cold` means something in 2.6.11 only.
  void free_block(const Caller&, Pfn, unsigned order, bool cold);
  void drain_all();
  void drain_cpu(std::uint32_t cpu);

  void set_min_free_kbytes(std::uint32_t);
  void set_lowmem_reserve_ratio(ZoneKind, std::uint32_t);
  void set_reclaim_active(std::uint32_t zone, bool);
  void plan_failure(std::uint32_t nth) { fail_nth_ = nth; }

  const Config& config() const { return config_; }
  std::uint64_t free_pages(std::uint32_t zone) const;  // on the free lists
  std::uint32_t nr_free(std::uint32_t zone, unsigned order) const;
  const std::deque<Pfn>& free_list(std::uint32_t zone, unsigned order) const;
  // Head first. 6.1: list = order; 2.6.11: 0 is hot, 1 is cold. Empty on a machine without them.
  std::vector<Pfn> pcp_list(std::uint32_t zone, std::uint32_t cpu, unsigned list) const;
  std::uint32_t pcp_count(std::uint32_t zone, std::uint32_t cpu, unsigned list) const;  // pages
  std::uint32_t free_factor(std::uint32_t zone, std::uint32_t cpu) const;
  const PcpLimits& pcp_limits(std::uint32_t zone) const { return zones_[zone].limits; }
  std::uint32_t watermark(std::uint32_t zone, Mark mark) const { return zones_[zone].mark[mark]; }
  std::uint32_t lowmem_reserve(std::uint32_t zone, ZoneKind highest) const;
  std::uint32_t planned_failure() const { return fail_nth_; }

  // The first thing that differs from a machine: where, and both sides. Nothing when all is equal.
  std::optional<std::string> difference(const ref::buddy::Machine&) const;
  void add_to(Mixer&) const;  // all that its predictions hang on

 private:
  class Comparison;  // with a machine
  struct Pcp {
    std::array<std::deque<Pfn>, ref::buddy::pcp_lists> list;
    std::uint32_t free_factor = 0;
  };
  struct Zone {
    ref::core::ZoneSpec spec;
    std::uint64_t managed = 0;
    std::array<std::deque<Pfn>, ref::core::orders_max> free;
    std::array<std::uint32_t, ref::buddy::mark_count> mark{};
    std::array<std::uint32_t, ref::core::zone_kinds> reserve{};
    PcpLimits limits;
    bool reclaim_active = false;
    std::vector<Pcp> pcp;  // by CPU; empty on a machine without per-CPU lists
  };
  // How far down a pass over the zones may go.
  struct Rights {
    Mark mark = ref::buddy::mark_low;
    bool high = false, harder = false, no_watermarks = false;
  };
  struct Request {
    Caller caller;
    Gfp gfp;
    unsigned order;
    ZoneKind highest;
    std::vector<std::uint32_t> zones;  // in the order in which they are asked
    bool has(Gfp bits) const { return (gfp & bits) != 0; }
  };

  // model.cpp: lists and limits
  void boot(std::uint32_t zone);
  void set_watermarks();
  void set_pcp_limits(std::uint32_t zone);
  void set_lowmem_reserves();
  std::optional<std::uint32_t> zone_with(Pfn) const;
  bool is_free(Pfn, unsigned order, std::uint32_t zone) const;
  bool merge_likely(Pfn, Pfn origin, unsigned order) const;
  std::optional<Pfn> take(std::uint32_t zone, unsigned order);
  void give(std::uint32_t zone, Pfn, unsigned order, bool to_tail = false);

  // model_pcp.cpp: per-CPU lists
  std::optional<Pfn> take_from_pcp(std::uint32_t zone, std::uint32_t cpu, unsigned order,
                                   bool cold);
  void refill(std::uint32_t zone, std::deque<Pfn>&, unsigned order, std::uint32_t blocks);
  void give_to_pcp(std::uint32_t zone, std::uint32_t cpu, Pfn, unsigned order, bool cold);
  void give_back_from_tail(std::uint32_t zone, std::deque<Pfn>&, unsigned order,
                           std::int64_t& pages);
  void flush_by_order(std::uint32_t zone, std::uint32_t cpu, unsigned first_list,
                      std::int64_t pages);
  std::int64_t pages_to_flush(Zone&, Pcp&, std::int64_t high, bool whole);

  // model_request.cpp: who gets what
  bool contradictory(Gfp) const;
  bool made_to_fail(Gfp);
  Request request(const Caller&, Gfp, unsigned order) const;
  bool watermark_ok(std::uint32_t zone, const Request&, const Rights&,
                    std::int64_t extra = 0) const;
  std::optional<Pfn> pass(const Request&, const Rights&);
  Prediction slow_path(const Request&);
  Prediction classic_slow_path(const Request&);
  Prediction modern_slow_path(const Request&);
  void give_back_the_rest(const Prediction&, std::uint64_t bytes);
  unsigned order_for(std::uint64_t bytes) const;

  Config config_;
  std::vector<Zone> zones_;
  std::uint32_t min_free_kbytes_ = 0;
  std::array<std::uint32_t, 2> ratio_{};  // of DMA, NORMAL
  std::uint32_t fail_nth_ = 0;
};

}  // namespace props::buddy
