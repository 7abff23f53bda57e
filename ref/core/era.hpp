// era: the two kernels that the reference can be, as data.
//
//   a value that differs        a field of Profile
//   an algorithm that differs   a policy enum, dispatched in exactly one switch without default
//   a bug of that time          not here: profiles model the contract, bugs are mutants
//
// Where the old kernel's behaviour is not documented, the new one's is taken; the mapping table of
// each layer marks those as assumed.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ref/core/gfp.hpp"

namespace ref::core {

enum class BuddyIndex : std::uint8_t { zone_relative, pfn_relative };           // B-2
enum class Placement : std::uint8_t { head_always, tail_if_merge_likely };      // B-11
enum class HighOrderMark : std::uint8_t { halving_loop, block_exists };         // W-4, W-5
enum class Reserves : std::uint8_t { harder_and_high, min_reserve_non_block };  // W-3, W-6
enum class PcpPolicy : std::uint8_t { hot_and_cold, by_order };                 // P-1, P-20
enum class BadPage : std::uint8_t { freed_anyway, leaked };                     // B-36
enum class SlowPath : std::uint8_t { classic, modern };                         // W-2, W-12, W-13
enum class SlabManagement : std::uint8_t { bufctl_chain, index_stack };         // S-7, S-25
enum class NewSlab : std::uint8_t { listed_free, used_directly };               // S-9, S-23
enum class SlabRelease : std::uint8_t { as_it_empties, after_the_block };       // S-26
enum class SlabMisuse : std::uint8_t { stops_the_kernel, tolerated };  // S-1, S-3, S-33, S-41, S-43
enum class SlabReap : std::uint8_t { head_of_free, tail_of_free };     // S-42
enum class AtomicMaps : std::uint8_t { typed, stack };
enum class PkmapFlush : std::uint8_t { all_always, range_if_any };     // M-5
enum class PageHash : std::uint8_t { pool, by_slot };                  // M-8
enum class AreaSearch : std::uint8_t { sorted_list, augmented_tree };  // V-4 to V-8
enum class Unmapping : std::uint8_t { flushed_at_once, lazy_purge };   // V-40, V-42
enum class VfreeInInterrupt : std::uint8_t { stops_the_kernel, deferred };  // V-24
enum class VmallocPages : std::uint8_t { as_asked, highmem_added };         // V-20
enum class IoremapAlignment : std::uint8_t { above_size, at_least_size };   // V-4

struct Profile {
  std::string_view name;  // as the machine line spells it
  BuddyIndex buddy_index;
  Placement placement;
  HighOrderMark high_order_mark;
  Reserves reserves;
  PcpPolicy pcp;
  BadPage bad_page;
  SlowPath slow_path;
  bool numa;                           // more than one node is modelled
  bool boot_frees_to_tail;             // B-40: a newborn zone hands out its lowest block first
  bool order_too_high_warns;           // B-20: a splat unless __GFP_NOWARN; silent otherwise
  bool get_free_pages_strips_highmem;  // B-26: otherwise a highmem page is lost with its address
  bool zero_highmem_needs_wait;        // B-25
  std::uint32_t pcp_order_max;         // P-1: highest order kept on per-CPU lists
  std::uint32_t pcp_batch_scale_max;   // P-4
  std::uint32_t batch_bytes_max;       // P-7, P-23: cap of a batch before it is quartered
  std::uint32_t min_free_kbytes_max;   // W-10: the formula's upper clamp
  std::array<std::uint32_t, 2> lowmem_reserve_ratio;  // W-9: of DMA and NORMAL
  bool kmalloc_pages_above;       // K-5: sizes above the largest class are blocks of pages
  bool zero_size_ptr;             // K-1, K-7: kmalloc(0) is no memory, and kfree knows the answer
  bool kzalloc_asks_for_zeros;    // K-9: by __GFP_ZERO; otherwise the call clears what it got
  bool kfree_frees_pages;         // K-7: a page that is no slab is given back
  std::uint64_t array_bytes_max;  // K-8: n * size of kcalloc; the largest size_t, or INT_MAX
  std::uint64_t size_max;         // the largest size_t
  SlabManagement slab_management;
  NewSlab new_slab;
  SlabRelease slab_release;
  SlabMisuse slab_misuse;
  SlabReap slab_reap;
  std::uint32_t word_bytes;         // of a pointer: i386, x86-64
  std::uint32_t general_order_max;  // K-2: the largest class is a page << this
  bool cpu_arrays_are_objects;      // otherwise per-CPU memory, which is not modelled
  bool caches_merge;                // S-6
  bool general_caches_are_natural;  // K-4: classes of power-of-two size are aligned to it
  AtomicMaps atomic_maps;
  PkmapFlush pkmap_flush;
  PageHash page_hash;
  std::uint32_t page_hash_multiplier;  // M-8: of hash_long
  std::uint32_t atomic_slots;          // of a CPU, in the fixmap
  bool kunmap_may_sleep;               // M-2: otherwise it stops where an interrupt calls it
  AreaSearch area_search;
  Unmapping unmapping;
  VfreeInInterrupt vfree_in_interrupt;
  VmallocPages vmalloc_pages;
  IoremapAlignment ioremap_alignment;
  std::uint32_t vm_struct_bytes, vmap_area_bytes;  // of the descriptors of areas
  std::uint32_t vm_flags_known;                    // V-28
  Gfp vmalloc_gfp;                                 // what vmalloc() adds to GFP_KERNEL
  Gfp vmalloc_32_gfp;                              // V-30: what vmalloc_32() adds
  Gfp page_table_gfp;                  // what page tables are asked for with besides GFP_KERNEL
  bool page_tables_keep_scope;         // without __GFP_FS or __GFP_IO where the caller asks so
  bool vmalloc_in_bulk;                // V-20: a hundred pages a call, while that works
  bool descriptors_ask_as_pages;       // with the caller's flags; otherwise GFP_KERNEL
  bool vmalloc_limit_counts_reserved;  // V-1: num_physpages; otherwise totalram_pages
  bool vmalloc_might_sleep;            // calls say so first; otherwise only what they allocate
  bool areas_refuse_interrupts;        // V-21
  bool areas_found_by_any_page;        // V-25: otherwise by their first address only
  bool vmalloc_warns;                  // V-1, V-29, I-1: of what is refused silently otherwise
  bool isa_is_always_mapped;           // I-1
};

inline constexpr std::array<Profile, era_count> profiles{{
    {.name = "linux-2.6.11",
     .buddy_index = BuddyIndex::zone_relative,
     .placement = Placement::head_always,
     .high_order_mark = HighOrderMark::halving_loop,
     .reserves = Reserves::harder_and_high,
     .pcp = PcpPolicy::hot_and_cold,
     .bad_page = BadPage::freed_anyway,
     .slow_path = SlowPath::classic,
     .numa = false,
     .boot_frees_to_tail = false,
     .order_too_high_warns = false,
     .get_free_pages_strips_highmem = false,
     .zero_highmem_needs_wait = true,
     .pcp_order_max = 0,
     .pcp_batch_scale_max = 0,
     .batch_bytes_max = 256 * 1024,
     .min_free_kbytes_max = 65536,
     .lowmem_reserve_ratio = {256, 32},
     .kmalloc_pages_above = false,
     .zero_size_ptr = false,
     .kzalloc_asks_for_zeros = false,
     .kfree_frees_pages = false,
     .array_bytes_max = INT32_MAX,
     .size_max = UINT32_MAX,
     .slab_management = SlabManagement::bufctl_chain,
     .new_slab = NewSlab::listed_free,
     .slab_release = SlabRelease::as_it_empties,
     .slab_misuse = SlabMisuse::stops_the_kernel,
     .slab_reap = SlabReap::head_of_free,
     .word_bytes = 4,
     .general_order_max = 5,
     .cpu_arrays_are_objects = true,
     .caches_merge = false,
     .general_caches_are_natural = false,
     .atomic_maps = AtomicMaps::typed,
     .pkmap_flush = PkmapFlush::all_always,
     .page_hash = PageHash::pool,
     .page_hash_multiplier = 0x9e370001,
     .atomic_slots = 13,
     .kunmap_may_sleep = false,
     .area_search = AreaSearch::sorted_list,
     .unmapping = Unmapping::flushed_at_once,
     .vfree_in_interrupt = VfreeInInterrupt::stops_the_kernel,
     .vmalloc_pages = VmallocPages::as_asked,
     .ioremap_alignment = IoremapAlignment::above_size,
     .vm_struct_bytes = 28,
     .vmap_area_bytes = 0,
     .vm_flags_known = 0x7,
     .vmalloc_gfp = GFP_BIT_HIGHMEM,
     .vmalloc_32_gfp = 0,
     .page_table_gfp = GFP_BIT_RETRY_MAYFAIL,
     .page_tables_keep_scope = false,
     .vmalloc_in_bulk = false,
     .descriptors_ask_as_pages = false,
     .vmalloc_limit_counts_reserved = true,
     .vmalloc_might_sleep = false,
     .areas_refuse_interrupts = false,
     .areas_found_by_any_page = false,
     .vmalloc_warns = false,
     .isa_is_always_mapped = true},
    {.name = "linux-6.1",
     .buddy_index = BuddyIndex::pfn_relative,
     .placement = Placement::tail_if_merge_likely,
     .high_order_mark = HighOrderMark::block_exists,
     .reserves = Reserves::min_reserve_non_block,
     .pcp = PcpPolicy::by_order,
     .bad_page = BadPage::leaked,
     .slow_path = SlowPath::modern,
     .numa = true,
     .boot_frees_to_tail = true,
     .order_too_high_warns = true,
     .get_free_pages_strips_highmem = true,
     .zero_highmem_needs_wait = false,
     .pcp_order_max = 3,
     .pcp_batch_scale_max = 5,
     .batch_bytes_max = 1024 * 1024,
     .min_free_kbytes_max = 262144,
     .lowmem_reserve_ratio = {256, 32},
     .kmalloc_pages_above = true,
     .zero_size_ptr = true,
     .kzalloc_asks_for_zeros = true,
     .kfree_frees_pages = true,
     .array_bytes_max = UINT64_MAX,
     .size_max = UINT64_MAX,
     .slab_management = SlabManagement::index_stack,
     .new_slab = NewSlab::used_directly,
     .slab_release = SlabRelease::after_the_block,
     .slab_misuse = SlabMisuse::tolerated,
     .slab_reap = SlabReap::tail_of_free,
     .word_bytes = 8,
     .general_order_max = 1,
     .cpu_arrays_are_objects = false,
     .caches_merge = true,
     .general_caches_are_natural = true,
     .atomic_maps = AtomicMaps::stack,
     .pkmap_flush = PkmapFlush::range_if_any,
     .page_hash = PageHash::by_slot,
     .page_hash_multiplier = 0x61c88647,
     .atomic_slots = 16,
     .kunmap_may_sleep = true,
     .area_search = AreaSearch::augmented_tree,
     .unmapping = Unmapping::lazy_purge,
     .vfree_in_interrupt = VfreeInInterrupt::deferred,
     .vmalloc_pages = VmallocPages::highmem_added,
     .ioremap_alignment = IoremapAlignment::at_least_size,
     .vm_struct_bytes = 64,
     .vmap_area_bytes = 64,
     .vm_flags_known = 0x35f,
     .vmalloc_gfp = 0,
     .vmalloc_32_gfp = GFP_BIT_DMA32,
     .page_table_gfp = 0,
     .page_tables_keep_scope = true,
     .vmalloc_in_bulk = true,
     .descriptors_ask_as_pages = true,
     .vmalloc_limit_counts_reserved = false,
     .vmalloc_might_sleep = true,
     .areas_refuse_interrupts = true,
     .areas_found_by_any_page = true,
     .vmalloc_warns = true,
     .isa_is_always_mapped = false},
}};

constexpr const Profile& profile_of(EraId era) { return profiles[static_cast<std::size_t>(era)]; }

constexpr std::optional<EraId> era_of(std::string_view name) {
  for (std::size_t i = 0; i < era_count; ++i)
    if (profiles[i].name == name) return static_cast<EraId>(i);
  return std::nullopt;
}

}  // namespace ref::core
