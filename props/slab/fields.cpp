// The register of the slab layer's fields.
#include "props/slab/fields.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "props/slab/invariants_parts.hpp"

namespace props::slab {
namespace {

using namespace ref::slab;

// --- when a flip is a legal state ---------------------------------------------------------------

const Cache& cache_of(const Flip& f) { return cache_at(f.after, static_cast<Index>(f.record)); }
const Cache& cache_before(const Flip& f) {
  return cache_at(f.before, static_cast<Index>(f.record));
}
bool is_cache(const Flip& f) { return cache_before(f).state != CacheState::unused; }

// The other checks of a cache's own record find nothing.
bool is_consistent(const Flip& f) {
  return !layout_broken(f.after) && !merged_broken(f.after) && !general_broken(f.after);
}

bool any_time(const Flip&) { return true; }

bool some_node(const Flip& f) {
  const auto& nodes = globals_of(f.after).reap_node;
  const std::uint64_t cpu = f.byte - offsetof(SlabGlobals, reap_node);
  return cpu < f.after.config.cpus && nodes[cpu] < f.after.config.nodes;
}

// A name is the caller's. It keeps its length here, or gets another at its end.
bool some_name(const Flip& f) {
  if (!is_cache(f)) return false;
  const auto& name = cache_of(f).name;
  const auto end = std::ranges::find(name, '\0');
  return end != name.begin() && end != name.end() &&
         std::all_of(end, name.end(), [](char c) { return c == '\0'; }) &&
         std::find(name.begin(), end, '\n') == end;
}

// A size that is rounded up to the same, and leaves the free indices where they are.
bool some_object_size(const Flip& f) {
  return is_cache(f) && is_consistent(f) && !held_broken(f.after);
}

bool odd_alignment(const Flip& f) {
  return is_cache(f) && !std::has_single_bit(cache_of(f).align) && is_consistent(f);
}

// What was asked for, but makes no difference to what is there.
bool idle_flags(const Flip& f) {
  constexpr std::uint32_t idle = SLAB_HWCACHE_ALIGN | SLAB_PANIC | SLAB_NO_REAP | SLAB_ACCOUNT |
                                 SLAB_NOLEAKTRACE | SLAB_RECLAIM_ACCOUNT | SLAB_POISON |
                                 SLAB_TYPESAFE_BY_RCU;
  const std::uint32_t flipped = cache_of(f).flags ^ cache_before(f).flags;
  return is_cache(f) && (flipped & ~idle) == 0 && is_consistent(f) && !rcu_broken(f.after) &&
         !canonical_broken(f.after);
}

bool some_constructor(const Flip& f) {
  return is_cache(f) && cache_of(f).ctor < ctor_count && is_consistent(f);
}

bool some_references(const Flip& f) {
  return is_cache(f) && cache_before(f).refcount > 0 && !merged_broken(f.after);
}

const Node& node_of(const Flip& f) { return f.after.arena.at(f.after.slab.node, f.record); }
bool has_node(const Flip& f) {
  return f.before.arena.at(f.before.slab.node, f.record).present != 0;
}
bool any_node_time(const Flip& f) { return has_node(f); }
bool some_node_mark(const Flip& f) { return has_node(f) && node_of(f).free_touched <= 1; }
bool some_node_colour(const Flip& f) {
  const Cache& c = cache_at(f.after, static_cast<Index>(f.record / f.after.config.nodes));
  return has_node(f) && !is_old(f.after) && node_of(f).colour_next < std::max(c.colour, 1u);
}
bool some_colour(const Flip& f) {
  return is_cache(f) && is_old(f.after) &&
         cache_of(f).colour_next < std::max(cache_of(f).colour, 1u);
}

template <auto table>
bool some_array_mark(const Flip& f) {
  const ArrayCache& a = f.after.arena.at(table(f.after), f.record);
  return a.present == 1 && a.touched <= 1;
}

// A slab that waits for a grace period is counted nowhere any more.
bool any_such_cache(const Flip& f) {
  return slab_at(f.before, static_cast<Index>(f.record)).rcu != 0 && !pages_broken(f.after) &&
         !colours_broken(f.after) && !rcu_broken(f.after) && !management_broken(f.after);
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

constexpr auto cpu_arrays = [](const Machine& m) { return m.slab.cpu_array; };
constexpr auto shared_arrays = [](const Machine& m) { return m.slab.shared_array; };
constexpr auto alien_arrays = [](const Machine& m) { return m.slab.alien_array; };

constexpr std::array all_records{
    in_arena<[](const Machine& m) { return m.slab.globals; }>("globals", "one of each machine"),
    in_arena<[](const Machine& m) { return m.slab.cache; }>("cache", "the caches"),
    in_arena<[](const Machine& m) { return m.slab.node; }>("node", "what a cache has on a node"),
    in_arena<cpu_arrays>("cpu_array", "the array of each cache and CPU"),
    in_arena<shared_arrays>("shared_array", "the array of each cache and node"),
    in_arena<alien_arrays>("alien_array", "what a node has of another one's objects"),
    in_arena<[](const Machine& m) { return m.slab.cpu_entry; }>("cpu_entry", "their entries"),
    in_arena<[](const Machine& m) { return m.slab.shared_entry; }>("shared_entry", "their entries"),
    in_arena<[](const Machine& m) { return m.slab.alien_entry; }>("alien_entry", "their entries"),
    in_arena<[](const Machine& m) { return m.slab.slab; }>("slab", "what each frame is to a slab"),
    in_arena<[](const Machine& m) { return m.slab.live; }>("live", "where objects in use begin"),
    in_arena<[](const Machine& m) { return m.slab.own; }>("own",
                                                          "those that the allocator has itself"),
    in_arena<[](const Machine& m) { return m.slab.general; }>("general", "the general caches"),
};

// --- the fields ---------------------------------------------------------------------------------

#define IN(T, member) #member, offsetof(T, member), sizeof(T::member)

constexpr std::string_view zero = "SLAB-CANONICAL", layout = "SLAB-LAYOUT", chain = "SLAB-CHAIN",
                           arrays = "SLAB-ARRAYS";
constexpr std::string_view touched_is_free = "whether it was used since it was last reaped";

constexpr std::array all_fields{
    Field{"globals", IN(SlabGlobals, first), chain},
    Field{"globals", IN(SlabGlobals, last), chain},
    Field{"globals", IN(SlabGlobals, rcu_first), "SLAB-RCU"},
    Field{"globals", IN(SlabGlobals, rcu_last), "SLAB-RCU"},
    Field{"globals", IN(SlabGlobals, clock), "", "any time", any_time},
    Field{"globals", IN(SlabGlobals, up), "SLAB-CANONICAL SLAB-GENERAL"},
    Field{"globals", IN(SlabGlobals, slab_max_order), layout},
    Field{"globals", IN(SlabGlobals, zero), zero},
    Field{"globals", IN(SlabGlobals, reap_node), zero, "of a CPU: any node", some_node},
    Field{"globals", IN(SlabGlobals, mutex), zero},
    Field{"globals", IN(SlabGlobals, zero_too), zero},

    Field{"cache", IN(Cache, name), zero, "a name is the caller's", some_name},
    Field{"cache", IN(Cache, object), "SLAB-HELD SLAB-CANONICAL"},
    Field{"cache", IN(Cache, object_size), "SLAB-LAYOUT SLAB-GENERAL SLAB-CANONICAL",
          "what is rounded up to the same size; callers are promised no less by OBJECT rules",
          some_object_size},
    Field{"cache", IN(Cache, size), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, align), "SLAB-LAYOUT SLAB-CANONICAL",
          "a number that is no power of two, and comes to the same", odd_alignment},
    Field{"cache", IN(Cache, flags), "SLAB-LAYOUT SLAB-CANONICAL SLAB-GENERAL SLAB-RCU",
          "what was asked for and makes no difference to the layout", idle_flags},
    Field{"cache", IN(Cache, num), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, freelist_size), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, colour), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, colour_off), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, colour_next), "SLAB-COLOURED SLAB-CANONICAL",
          "2.6.11: any of its colours is the next", some_colour},
    Field{"cache", IN(Cache, allocflags), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, limit), "SLAB-LIMITS SLAB-CANONICAL"},
    Field{"cache", IN(Cache, batchcount), "SLAB-LIMITS SLAB-CANONICAL"},
    Field{"cache", IN(Cache, shared), "SLAB-LIMITS SLAB-CANONICAL"},
    Field{"cache", IN(Cache, obj_offset), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, refcount), "SLAB-MERGED SLAB-CANONICAL",
          "where others may be merged: any number of users", some_references},
    Field{"cache", IN(Cache, free_limit), "SLAB-LIMITS SLAB-CANONICAL"},
    Field{"cache", IN(Cache, freelist_cache), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, next), "SLAB-CHAIN SLAB-CANONICAL"},
    Field{"cache", IN(Cache, prev), "SLAB-CHAIN SLAB-CANONICAL"},
    Field{"cache", IN(Cache, gfporder), "SLAB-LAYOUT SLAB-CANONICAL"},
    Field{"cache", IN(Cache, ctor), "SLAB-LAYOUT SLAB-CANONICAL",
          "another one that comes to the same layout; OBJECT-CONSTRUCTED judges what it writes",
          some_constructor},
    Field{"cache", IN(Cache, state), "SLAB-CHAIN"},
    Field{"cache", IN(Cache, zero), zero},
    Field{"cache", IN(Cache, users), zero},
    Field{"cache", IN(Cache, zero_too), zero},

    Field{"node", IN(Node, full), "SLAB-LISTED SLAB-CANONICAL"},
    Field{"node", IN(Node, partial), "SLAB-LISTED SLAB-CANONICAL"},
    Field{"node", IN(Node, free), "SLAB-LISTED SLAB-CANONICAL"},
    Field{"node", IN(Node, object), "SLAB-HELD SLAB-CANONICAL"},
    Field{"node", IN(Node, alien_object), "SLAB-HELD SLAB-CANONICAL"},
    Field{"node", IN(Node, free_objects), "SLAB-COUNTED"},
    Field{"node", IN(Node, free_limit), "SLAB-LIMITS SLAB-CANONICAL"},
    Field{"node", IN(Node, colour_next), "SLAB-COLOURED SLAB-CANONICAL",
          "6.1: any of its colours is the next", some_node_colour},
    Field{"node", IN(Node, total_slabs), "SLAB-COUNTED"},
    Field{"node", IN(Node, next_reap), zero, "any time", any_node_time},
    Field{"node", IN(Node, free_touched), zero, "whether free slabs were used lately",
          some_node_mark},
    Field{"node", IN(Node, present), zero},
    Field{"node", IN(Node, zero), zero},
    Field{"node", IN(Node, zero_too), zero},

#define ARRAY(name, table)                                                                 \
  Field{name, IN(ArrayCache, object), "SLAB-HELD SLAB-CANONICAL"},                         \
      Field{name, IN(ArrayCache, avail), "SLAB-ARRAYS"},                                   \
      Field{name, IN(ArrayCache, limit), "SLAB-ARRAYS SLAB-LIMITS SLAB-CANONICAL"},        \
      Field{name, IN(ArrayCache, batchcount), "SLAB-LIMITS SLAB-CANONICAL"},               \
      Field{name, IN(ArrayCache, touched), zero, touched_is_free, some_array_mark<table>}, \
      Field{name, IN(ArrayCache, present), "SLAB-LIMITS SLAB-CANONICAL"},                  \
      Field{name, IN(ArrayCache, zero), zero}, Field {                                     \
    name, IN(ArrayCache, zero_too), zero                                                   \
  }
    ARRAY("cpu_array", cpu_arrays),
    ARRAY("shared_array", shared_arrays),
    ARRAY("alien_array", alien_arrays),
#undef ARRAY

    Field{"cpu_entry", "address", 0, 8, arrays},
    Field{"shared_entry", "address", 0, 8, arrays},
    Field{"alien_entry", "address", 0, 8, arrays},

    Field{"slab", IN(Slab, head), "SLAB-PAGES"},
    Field{"slab", IN(Slab, cache), "SLAB-PAGES SLAB-CANONICAL SLAB-COLOURED SLAB-RCU SLAB-LISTED",
          "of one that waits for a grace period: any cache of its kind and layout", any_such_cache},
    Field{"slab", IN(Slab, next), "SLAB-LISTED SLAB-RCU SLAB-CANONICAL"},
    Field{"slab", IN(Slab, prev), "SLAB-LISTED SLAB-RCU SLAB-CANONICAL"},
    Field{"slab", IN(Slab, s_mem), "SLAB-COLOURED SLAB-CANONICAL"},
    Field{"slab", IN(Slab, freelist), "SLAB-MANAGED SLAB-INDICES SLAB-CANONICAL"},
    Field{"slab", IN(Slab, active),
          "SLAB-COLOURED SLAB-LISTED SLAB-RCU SLAB-COUNTED SLAB-CANONICAL"},
    Field{"slab", IN(Slab, free), "SLAB-INDICES SLAB-CANONICAL"},
    Field{"slab", IN(Slab, colour), "SLAB-COLOURED SLAB-CANONICAL"},
    Field{"slab", IN(Slab, list), "SLAB-RCU SLAB-LISTED SLAB-CANONICAL"},
    Field{"slab", IN(Slab, rcu), "SLAB-RCU"},
    Field{"slab", IN(Slab, zero), zero},
    Field{"slab", IN(Slab, zero_too), zero},
    Field{"slab", IN(Slab, zero_three), zero},

    Field{"live", "bits", 0, 8, "SLAB-MANAGED SLAB-INDICES SLAB-ARRAYS SLAB-CONSERVED"},
    Field{"own", "bits", 0, 8, "SLAB-MANAGED SLAB-HELD"},
    Field{"general", "cache", 0, 4, "SLAB-LAYOUT SLAB-HELD SLAB-GENERAL"},
};

#undef IN

static_assert(fields_are_complete(all_records, all_fields));

constexpr std::string_view introduction =
    "# Which bit of a machine's state would be missed?\n"
    "\n"
    "Every byte of every record of the slab layer, and the rules that notice when one of its bits\n"
    "is flipped, or the reason why any value is a legal state; `props/buddy/FIELDS.md` has the\n"
    "tables below. Generated from `fields.cpp`; the test\n"
    "`SlabFields.the_page_is_what_the_register_says` compares, and tells how to renew it.\n"
    "`SlabFields.a_flipped_bit_is_noticed_unless_it_is_free` flips them.\n";

}  // namespace

std::span<const Record> records() { return all_records; }

std::span<const Field> fields() { return all_fields; }

std::string fields_page() { return props::fields_page(introduction, all_records, all_fields); }

}  // namespace props::slab
