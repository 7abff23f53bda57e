// kmap::Machine: the tables of persistent and temporary maps, and nothing that acts.
//
//   pkmap    slot     0    1    2    3   ...     0 reusable; 1 no user, not yet flushed; n: n - 1
//            count  [ 0 |  2 |  1 |  0 | ... ]   users
//   hash     bucket 5  ─▶ {page 80, 0xff801000} ─▶ {page 91, 0xff802000}
//   task 1   stack  [ page 84 | page 85 ]  idx 2, pinned to CPU 0                        (6.1)
//
// Which page a slot maps stands in the page tables (mmu), and the other way round in the hash.
// Tasks that wait for a slot are bits of `sleepers`. Links are index + 1, so that zero means
// "none".
#pragma once
#include "ref/mmu/mmu.hpp"

namespace ref::kmap {

using buddy::Address;
using core::Index;
using core::Pfn;
using mmu::Pte;

constexpr std::uint32_t hash_order = 7;  // PA_HASH_ORDER
constexpr std::uint32_t hash_buckets = 1u << hash_order;
constexpr std::uint32_t km_max_idx = 16;  // 6.1: the last one is never reached

// Wait.call of a task that sleeps in kmap; its argument is the frame.
constexpr std::uint8_t call_kmap = core::wait_calls_above;

// Which page has which persistent address: a link of a bucket, or of the pool of free ones
// (2.6.11). 6.1: that of slot n is record n.
struct PageAddress {
  Pfn page;
  std::uint32_t address;  // 0: of no page
  Index next, prev;
};
static_assert(sizeof(PageAddress) == 16);

struct Chain {
  Index head, tail;
};

struct KmapGlobals {
  std::uint32_t last_pkmap_nr;  // the slot that was handed out last
  std::uint32_t sleepers;       // bits of the tasks on the wait queue that nobody woke
  Chain pool;                   // 2.6.11: free records
};
static_assert(sizeof(KmapGlobals) == 16);

// A task's temporary maps (6.1: kmap_ctrl), and where it is pinned by them.
struct LocalMaps {
  std::array<Pte, km_max_idx> pteval;  // by depth
  std::uint32_t idx;                   // how many
  std::uint32_t migration_disabled;    // nested migrate_disable()
  std::uint32_t cpu;                   // where, while it is disabled
  std::array<std::uint32_t, 13> zero;
};
static_assert(sizeof(LocalMaps) == 128);

// Without a window all tables have length 0.
struct State {
  core::Table<KmapGlobals> globals;  // one record
  core::Table<std::uint32_t> count;  // pkmap_count, by slot
  core::Table<PageAddress> page_address;
  core::Table<Chain> bucket;
  core::Table<LocalMaps> local;  // by task
  bool operator==(const State&) const = default;
};

class Machine : public mmu::Machine {
 public:
  explicit Machine(const core::Config&);  // newborn: nothing is mapped
  bool operator==(const Machine&) const = default;

  State kmap;

 protected:
  Machine(const core::Config&, Laid);
  void boot();
};

// core's, with what 6.1 does to temporary maps: those of the old task leave the page tables, those
// of the new one come back. False, and nothing changed, also when the task is pinned to
// another CPU.
[[nodiscard]] bool switch_task(Machine&, std::uint32_t task);

}  // namespace ref::kmap
