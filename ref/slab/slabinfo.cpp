// Implements /proc/slabinfo: its text, and what is written to it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "ref/slab/array.hpp"
#include "ref/slab/create.hpp"

namespace ref::slab {
namespace {

using core::SlabMisuse;

constexpr std::size_t write_max = 128;  // MAX_SLABINFO_WRITE

// 2.6.11 names the first two tunables in the other order than it prints them.
std::string_view tunables_head(const Machine& m) {
  switch (m.profile().slab_management) {
    case core::SlabManagement::bufctl_chain: return "<batchcount> <limit> <sharedfactor>";
    case core::SlabManagement::index_stack: return "<limit> <batchcount> <sharedfactor>";
  }
  UNREACHABLE("a slab management outside the list");
}

// SI-1: what stands in arrays counts as active.
void show_cache(std::string& text, const Machine& m, Index cache) {
  const Cache& c = cache_at(m, cache);
  std::uint32_t slabs = 0, free_slabs = 0, free_objects = 0, shared = 0;
  for (std::uint32_t node = 0; node < m.config.nodes; ++node) {
    const Node& n = node_at(m, cache, node);
    slabs += n.total_slabs, free_slabs += n.free.count, free_objects += n.free_objects;
    shared += array_at(m, shared_array(m, cache, node)).avail;
  }
  const std::uint32_t objects = slabs * c.num;
  fmt::format_to(std::back_inserter(text),
                 "{:<17} {:6} {:6} {:6} {:4} {:4} : tunables {:4} {:4} {:4}"
                 " : slabdata {:6} {:6} {:6}\n",
                 name_of(c), objects - free_objects, objects, c.size, c.num, 1u << c.gfporder,
                 c.limit, c.batchcount, c.shared, slabs - free_slabs, slabs, shared);
}

// A decimal number behind any space, as sscanf reads " %d".
std::optional<std::int32_t> read_number(std::string_view& text) {
  const auto is_space = [](char ch) { return ch == ' ' || (ch >= '\t' && ch <= '\r'); };
  const auto start = std::ranges::find_if_not(text, is_space);
  text.remove_prefix(static_cast<std::size_t>(start - text.begin()));
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.substr(1).starts_with('-')) digits.remove_prefix(1);
  std::int32_t value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  return value;
}

SlabinfoWrite out_of_range(const Machine& m) {
  switch (m.profile().slab_misuse) {
    case SlabMisuse::tolerated: return SlabinfoWrite::ignored;  // and says that it was written
    case SlabMisuse::stops_the_kernel: return SlabinfoWrite::invalid;
  }
  UNREACHABLE("a slab misuse policy outside the list");
}

Answer<SlabinfoWrite> tune(Env& env, Machine& m, Index cache, std::int32_t limit,
                           std::int32_t batchcount, std::int32_t shared) {
  if (limit < 1 || batchcount < 1 || batchcount > limit || shared < 0) return out_of_range(m);
  // Arrays have an end here, as memory has one there.
  if (limit > static_cast<std::int32_t>(cpu_entries_max) ||
      std::int64_t{shared} * batchcount > std::int64_t{shared_entries_max})
    return SlabinfoWrite::no_memory;
  const Tunables t{static_cast<std::uint32_t>(limit), static_cast<std::uint32_t>(batchcount),
                   static_cast<std::uint32_t>(shared)};
  const auto tuned = do_tune_cpucache(env, m, cache, t, core::gfp_of(m.config.era, "GFP_KERNEL"));
  if (tuned) return SlabinfoWrite::done;
  if (tuned.error() == Refused::no_memory) return SlabinfoWrite::no_memory;
  return std::unexpected(tuned.error());
}

}  // namespace

std::string slabinfo(const Machine& m) {
  std::string text = fmt::format(
      "slabinfo - version: 2.1\n"
      "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
      " : tunables {} : slabdata <active_slabs> <num_slabs> <sharedavail>\n",
      tunables_head(m));
  for (Index link = globals_of(m).first; link != 0; link = cache_at(m, link - 1).next)
    show_cache(text, m, link - 1);
  return text;
}

// S-43.
Answer<SlabinfoWrite> slabinfo_write(Env& env, Machine& m, std::string_view line) {
  if (globals_of(m).up == 0) return std::unexpected(Refused::no_memory);
  if (line.size() > write_max) return SlabinfoWrite::invalid;
  const std::size_t space = line.find(' ');
  if (space == line.npos) return SlabinfoWrite::invalid;
  const std::string_view name = line.substr(0, space);
  std::string_view rest = line.substr(space + 1);
  const auto limit = read_number(rest);
  const auto batchcount = limit ? read_number(rest) : std::nullopt;
  const auto shared = batchcount ? read_number(rest) : std::nullopt;
  if (!shared) return SlabinfoWrite::invalid;
  if (!mutex_trylock(m)) return std::unexpected(wait_for_mutex(m));
  Answer<SlabinfoWrite> answer = SlabinfoWrite::invalid;
  for (Index link = globals_of(m).first; link != 0; link = cache_at(m, link - 1).next) {
    if (name_of(cache_at(m, link - 1)) != name) continue;
    answer = tune(env, m, link - 1, *limit, *batchcount, *shared);
    break;
  }
  mutex_unlock(m);
  return answer;
}

}  // namespace ref::slab
