// The register of fields.
#include "props/buddy/fields.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "ref/buddy/alloc.hpp"

namespace props::buddy {
namespace {

using namespace ref::buddy;
using ref::core::Cpu;
using ref::core::Fault;
using ref::core::Globals;
using ref::core::Log;
using ref::core::Task;
using ref::core::Wait;

// --- when a flip is a legal state ---------------------------------------------------------------

const Page& page_after(const Flip& f) { return page_at(f.after(), static_cast<Index>(f.record)); }
const Page& page_before(const Flip& f) { return page_at(f.before, static_cast<Index>(f.record)); }
const Cpu& cpu_after(const Flip& f) { return f.after().arena.at(f.after().core.cpu, f.record); }

bool some_cpu(const Flip& f) { return f.after().globals().cpu < f.after().config.cpus; }

bool known_warnings(const Flip& f) {
  return f.after().globals().warned >> ref::core::warn_once_count == 0;
}

bool at_most_one(const Flip& f) { return f.after().globals().injected <= 1; }

bool some_log(const Flip& f) {
  const Log& log = f.after().globals().log;
  const bool named = log.fault < Fault{ref::core::fault_names.size()} &&
                     log.effect < ref::core::Effect{ref::core::effect_names.size()};
  const bool nothing = log.effect == ref::core::Effect::none && log.pfn == 0;
  bool clean = true;
  for (std::size_t i = log.leaks; i < log.leak.size(); ++i)
    clean = clean && log.leak[i].first == 0 && log.leak[i].pages == 0;
  return named && clean && (log.fault != Fault::none || nothing);
}

bool idle_task(const Flip& f) {
  const auto& cpus = f.before.core.cpu;
  const std::uint32_t task = cpu_after(f).task;
  for (std::uint64_t c = 0; c < cpus.count; ++c)
    if (f.before.arena.at(cpus, c).task == task) return false;
  return task < f.after().core.task.count;
}

bool shallow(const Flip& f) {
  const Cpu& c = cpu_after(f);
  return c.pagefault_disabled <= c.preempt_count &&
         std::max({c.preempt_count, c.bh_off, c.softirq_count, c.hardirq_count, c.irqs_off}) < 256;
}

bool known_task_flags(const Flip& f) {
  const std::uint32_t flags = f.after().arena.at(f.after().core.task, f.record).flags;
  return flags >> ref::core::task_flag_names.size() == 0;
}

// A call that could have been made, and had to wait.
bool some_wait(const Flip& f) {
  const Machine& m = f.after();
  const Wait& w = m.arena.at(m.core.task, f.record).wait;
  if (w.call == 0 || w.call > 3 || w.order >= m.config.orders) return false;
  if ((w.gfp & ~ref::core::gfp_known(m.config.era)) != 0) return false;
  if ((w.gfp & ref::core::GFP_BIT_DIRECT_RECLAIM) == 0) return false;
  if (w.call != 3) return w.argument == 0;
  const std::uint64_t most = std::uint64_t{m.config.page_bytes} << w.order;
  return w.argument > (w.order == 0 ? 0 : most / 2) && w.argument <= most;
}

bool bare_pfmemalloc(const Flip& f) {
  return (page_before(f).flags ^ page_after(f).flags) == PG_pfmemalloc;
}

// A frame that nobody owns was written to already; what else is written there is anybody's.
bool scribble(const Flip& f) {
  constexpr unsigned allocators_own = PG_head | PG_pfmemalloc;
  const Page& p = page_after(f);
  return p.kind != PageKind::live_head && page_before(f).flags != 0 && p.flags != 0 &&
         (p.flags & allocators_own) == 0;
}

bool page_flags_are_free(const Flip& f) {
  return page_before(f).kind == PageKind::live_head ? bare_pfmemalloc(f) : scribble(f);
}

// The bytes that carry a stamp, see contents.hpp.
bool outside_of_stamps(const Flip& f) {
  const Machine& m = f.after();
  for (const Block& b : f.world.blocks()) {
    if (!b.live || b.stamp == 0) continue;
    const Zone& zone = zone_at(m, zone_of_pfn(m, b.pfn));
    const std::uint64_t first = std::uint64_t{page_index(zone, b.pfn)} * m.config.page_bytes;
    const std::uint64_t bytes = std::uint64_t{b.pages} * m.config.page_bytes;
    const std::uint64_t at = f.record - first;
    if (at < bytes && (bytes <= 256 || at % 512 < 8 || at >= bytes - 8)) return false;
  }
  return true;
}

// A lost page was counted or not; the counts alone do not tell.
bool within_lost_pages(const Flip& f) {
  const Machine& m = f.after();
  if (f.record >= m.config.zone_count) return false;
  const Zone& zone = zone_at(m, static_cast<Index>(f.record));
  std::uint64_t live = 0, lost = 0;
  for (Index i = zone.map; i < zone.map + zone.pages; ++i) {
    const Page& p = page_at(m, i);
    live += p.kind == PageKind::live_head ? std::uint64_t{1} << p.order : 0;
    lost += p.kind == PageKind::leaked;
  }
  const std::uint64_t out = m.events[f.record].pgalloc - m.events[f.record].pgfree;
  return live <= out && out <= live + lost;
}

// --- the tables ---------------------------------------------------------------------------------

template <auto table>
std::uint64_t count_of(const Machine& m) {
  return table(m).count;
}
template <auto table>
std::byte* edit_of(Machine& m, std::uint64_t i) {
  return reinterpret_cast<std::byte*>(&m.arena.edit(table(m), i));
}
template <auto table>
constexpr Record in_arena(std::string_view name, std::string_view what) {
  using T = std::remove_cvref_t<decltype(std::declval<Machine&>().arena.edit(
      table(std::declval<const Machine&>()), 0))>;
  return {name, what, sizeof(T), count_of<table>, edit_of<table>};
}

constexpr std::array all_records{
    in_arena<[](const Machine& m) { return m.core.globals; }>("globals", "one of each machine"),
    in_arena<[](const Machine& m) { return m.core.cpu; }>("cpu", "the context of each CPU"),
    in_arena<[](const Machine& m) { return m.core.task; }>("task", "tasks, running or waiting"),
    in_arena<[](const Machine& m) { return m.buddy.zone; }>("zone", "the zones"),
    in_arena<[](const Machine& m) { return m.buddy.area; }>("area", "the free lists of each zone"),
    in_arena<[](const Machine& m) { return m.buddy.pcp; }>(
        "pcp", "counts and limits of the per-CPU lists of each zone"),
    in_arena<[](const Machine& m) { return m.buddy.pcp_list; }>("pcp_list", "those lists"),
    in_arena<[](const Machine& m) { return m.buddy.sysctl; }>("sysctl", "settings"),
    in_arena<[](const Machine& m) { return m.buddy.page; }>("page", "the frames of all zones"),
    in_arena<[](const Machine& m) { return m.ram; }>("ram", "the contents of the frames, by byte"),
    Record{"events", "counts since boot of each zone, beside the arena", sizeof(Events),
           [](const Machine& m) { return std::uint64_t{m.events.size()}; },
           [](Machine& m, std::uint64_t i) { return reinterpret_cast<std::byte*>(&m.events[i]); },
           false},
    Record{"zone_of", "the zone of each node and kind, beside the arena", sizeof(State::zone_of),
           [](const Machine&) { return std::uint64_t{1}; },
           [](Machine& m, std::uint64_t) { return reinterpret_cast<std::byte*>(&m.buddy.zone_of); },
           false},
};

// --- the fields ---------------------------------------------------------------------------------

#define IN(T, member) #member, offsetof(T, member), sizeof(T::member)
#define IN_LOG(member) \
  "log." #member, offsetof(Globals, log) + offsetof(Log, member), sizeof(Log::member)
#define IN_WAIT(member) \
  "wait." #member, offsetof(Task, wait) + offsetof(Wait, member), sizeof(Wait::member)

constexpr std::string_view legal = "CONTEXT-LEGAL", zero = "BUDDY-CANONICAL",
                           ordered = "BUDDY-ORDERED", geometry = "ZONE-GEOMETRY";
constexpr std::string_view log_is_free =
    "what the last call reported; judged at once, cleared before the next";
constexpr std::string_view nesting_is_free = "any nesting up to 255";
constexpr std::string_view wait_is_free =
    "while the task waits: any call that could have been made so";

constexpr std::array all_fields{
    Field{"globals", IN(Globals, cpu), legal, "whose turn it is: any CPU", some_cpu},
    Field{"globals", IN(Globals, fail_page_alloc), ordered},
    Field{"globals", IN(Globals, warned), legal, "which warnings of once were given: any set",
          known_warnings},
    Field{"globals", IN(Globals, injected), legal,
          "whether the last call was made to fail; judged at once, cleared before the next",
          at_most_one},
    Field{"globals", IN_LOG(fault), legal, log_is_free, some_log},
    Field{"globals", IN_LOG(effect), legal, log_is_free, some_log},
    Field{"globals", IN_LOG(warnings), "", log_is_free, some_log},
    Field{"globals", IN_LOG(pfn), legal, log_is_free, some_log},
    Field{"globals", IN_LOG(leaks), legal, log_is_free, some_log},
    Field{"globals", IN_LOG(zero), legal},
    Field{"globals", IN_LOG(leak), legal, log_is_free, some_log},

    Field{"cpu", IN(Cpu, task), legal, "another task that runs nowhere", idle_task},
    Field{"cpu", IN(Cpu, preempt_count), legal, nesting_is_free, shallow},
    Field{"cpu", IN(Cpu, bh_off), legal, nesting_is_free, shallow},
    Field{"cpu", IN(Cpu, softirq_count), legal, nesting_is_free, shallow},
    Field{"cpu", IN(Cpu, hardirq_count), legal, nesting_is_free, shallow},
    Field{"cpu", IN(Cpu, irqs_off), legal, nesting_is_free, shallow},
    Field{"cpu", IN(Cpu, pagefault_disabled), legal,
          "any number of atomic maps, each of which disables preemption too", shallow},

    Field{"task", IN(Task, flags), legal, "any set of the task's flags", known_task_flags},
    Field{"task", IN(Task, zero), legal},
    Field{"task", IN_WAIT(call), legal},
    Field{"task", IN_WAIT(order), legal, wait_is_free, some_wait},
    Field{"task", IN_WAIT(zero), legal},
    Field{"task", IN_WAIT(gfp), legal, wait_is_free, some_wait},
    Field{"task", IN_WAIT(argument), legal, wait_is_free, some_wait},
    Field{"task", IN(Task, zero_too), legal},

    Field{"zone", IN(Zone, free_pages), "BUDDY-COUNTED"},
    Field{"zone", IN(Zone, first), geometry},
    Field{"zone", IN(Zone, pages), geometry},
    Field{"zone", IN(Zone, managed), geometry},
    Field{"zone", IN(Zone, map), geometry},
    Field{"zone", IN(Zone, watermark), "ZONE-MARKS BUDDY-ORDERED"},
    Field{"zone", IN(Zone, lowmem_reserve), "ZONE-RESERVE"},
    Field{"zone", IN(Zone, node), geometry},
    Field{"zone", IN(Zone, kind), geometry},
    Field{"zone", IN(Zone, reclaim_active), "BUDDY-CANONICAL BUDDY-ORDERED"},
    Field{"zone", IN(Zone, zero), zero},
    Field{"zone", IN(Zone, zero_too), zero},

    Field{"area", IN(List, head), "BUDDY-LISTED"},
    Field{"area", IN(List, tail), "BUDDY-LISTED"},
    Field{"area", IN(List, count), "BUDDY-LISTED"},
    Field{"area", IN(List, zero), zero},

    Field{"pcp", IN(Pcp, count), "PCP-LISTED"},
    Field{"pcp", IN(Pcp, low), "BUDDY-CANONICAL BUDDY-ORDERED"},
    Field{"pcp", IN(Pcp, high), "PCP-BOUNDED BUDDY-CANONICAL BUDDY-ORDERED"},
    Field{"pcp", IN(Pcp, batch), "BUDDY-CANONICAL BUDDY-ORDERED"},
    Field{"pcp", IN(Pcp, free_factor), "BUDDY-CANONICAL BUDDY-ORDERED"},
    Field{"pcp", IN(Pcp, locked), "PCP-UNLOCKED"},

    Field{"pcp_list", IN(List, head), "PCP-LISTED"},
    Field{"pcp_list", IN(List, tail), "PCP-LISTED"},
    Field{"pcp_list", IN(List, count), "PCP-LISTED"},
    Field{"pcp_list", IN(List, zero), zero},

    Field{"sysctl", IN(Sysctl, min_free_kbytes), ordered},
    Field{"sysctl", IN(Sysctl, lowmem_reserve_ratio), ordered},
    Field{"sysctl", IN(Sysctl, scribbled), zero},

    Field{"page", IN(Page, next), "BUDDY-LISTED PCP-LISTED BUDDY-CANONICAL"},
    Field{"page", IN(Page, prev), "BUDDY-LISTED PCP-LISTED BUDDY-CANONICAL"},
    Field{"page", IN(Page, refcount), "BUDDY-REFERENCED BUDDY-CANONICAL PAGE-COUNT"},
    Field{"page", IN(Page, private_data), "BUDDY-CANONICAL PAGE-CONTENT"},
    Field{"page", IN(Page, mapcount), "BUDDY-CANONICAL PAGE-CONTENT"},
    Field{"page", IN(Page, flags), "BUDDY-REFERENCED BUDDY-CANONICAL PAGE-CONTENT",
          "PG_pfmemalloc of a live head, which BUDDY-EXACT judges when it is handed out; any other "
          "flags on a frame that was scribbled on",
          page_flags_are_free},
    Field{"page", IN(Page, order), "BUDDY-TILED BUDDY-CANONICAL"},
    Field{"page", IN(Page, kind), "ZONE-GEOMETRY BUDDY-TILED BUDDY-LISTED PCP-LISTED"},
    Field{"page", IN(Page, zero), zero},

    Field{"ram", "byte", 0, 1, "PAGE-CONTENT",
          "outside of the stamps in live blocks: whoever owns the page writes there",
          outside_of_stamps},

    Field{"events", IN(Events, pgalloc), "BUDDY-EVENTS",
          "between live and live + lost pages: a lost page was counted or not", within_lost_pages},
    Field{"events", IN(Events, pgfree), "BUDDY-EVENTS",
          "between live and live + lost pages: a lost page was counted or not", within_lost_pages},

    Field{"zone_of", "all", 0, sizeof(State::zone_of), geometry},
};

#undef IN
#undef IN_LOG
#undef IN_WAIT

static_assert(fields_are_complete(all_records, all_fields));

constexpr std::string_view introduction =
    "# Which bit of a machine's state would be missed?\n"
    "\n"
    "Every byte of every record, and the rules that notice when one of its bits is flipped, or "
    "the\n"
    "reason why any value is a legal state. Generated from `fields.cpp`; the test\n"
    "`Fields.the_page_is_what_the_register_says` compares, and tells how to renew it.\n"
    "`Fields.a_flipped_bit_is_noticed_unless_it_is_free` flips them.\n";

}  // namespace

std::span<const Record> records() { return all_records; }

std::span<const Field> fields() { return all_fields; }

std::string fields_page() { return props::fields_page(introduction, all_records, all_fields); }

}  // namespace props::buddy
