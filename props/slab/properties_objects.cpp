// Properties about objects as they are handed out, and about what slabinfo says of them.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "props/slab/property_case.hpp"
#include "ref/slab/array.hpp"
#include "ref/slab/records.hpp"

namespace props::slab {
namespace {

using namespace ref::core;

std::string text_of(const ref::slab::Answer<Address>& got) {
  return got ? fmt::format("{:#x}", static_cast<std::uint64_t>(*got)) : std::string("nothing");
}

// Freed by a CPU of another node it goes to an alien array, behind which nobody allocates.
bool is_of_this_node(const Machine& m, Address object) {
  const Index page = ref::slab::slab_of(m, static_cast<std::uint64_t>(object));
  return ref::slab::node_of_slab(m, page) == ref::buddy::node_of_cpu(m, m.globals().cpu);
}

}  // namespace

void last_in_first_out(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up() || world.disturbed()) return;
  Machine m = at_rest(world);
  QuietEnv env;
  for (const HeldCache& cache : live_caches(world)) {
    const auto first = c.calls.alloc(env, m, cache.id, gfp_for(cache));
    if (!first || !is_of_this_node(m, *first)) continue;
    c.calls.free(env, m, cache.id, *first);
    const auto second = c.calls.alloc(env, m, cache.id, gfp_for(cache));
    if (!c.holds(second == first,
                 fmt::format("{} of cache {}: this CPU freed it last", text_of(first),
                             static_cast<Index>(cache.id)),
                 text_of(second), world))
      return;
  }
}

void always_constructed(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up() || world.disturbed()) return;
  constexpr unsigned most = 12;  // objects of a cache: some from an array, some from slabs
  Machine m = at_rest(world);
  QuietEnv env;
  for (const HeldCache& cache : live_caches(world)) {
    const auto ctor = static_cast<ref::slab::Ctor>(cache.asked.ctor.value);
    for (unsigned i = 0; ctor != 0 && i < most; ++i) {
      const auto got = c.calls.alloc(env, m, cache.id, gfp_for(cache));
      if (!got) break;
      const Bytes bytes = cache.asked.size.value;
      const auto ram = ram_of(m, static_cast<std::uint64_t>(*got), bytes);
      const Broken w = ram ? construction_broken(m, *ram, bytes, ctor) : Broken{};
      if (!c.holds(ram && !w,
                   w ? fmt::format("{:#x} at {} of {}", w->expected, w->where, text_of(got))
                     : std::string("an object in memory"),
                   w ? fmt::format("{:#x}", w->actual) : text_of(got), world))
        return;
    }
  }
}

void bulk_is_singles(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up() || world.disturbed()) return;
  Machine bulk = at_rest(world), singles = bulk;
  QuietEnv env;
  std::vector<Address> objects(2 + c.steps().size() % 11);
  for (const HeldCache& cache : live_caches(world)) {
    const auto got = c.calls.alloc_bulk(env, bulk, cache.id, gfp_for(cache), objects);
    if (!got || *got == 0) return;
    for (const Address object : objects) {
      const auto one = c.calls.alloc(env, singles, cache.id, gfp_for(cache));
      if (!c.holds(one && *one == object, text_of(one) + ", as a single request", text_of(object),
                   world))
        return;
    }
  }
}

namespace {

// A line's numbers in the order of the file, as the slabs and arrays have them.
std::string numbers_of(const Machine& m, Index cache, const Shape::OfCache& sum) {
  const ref::slab::Cache& c = ref::slab::cache_at(m, cache);
  std::uint64_t shared = 0;
  for (std::uint32_t node = 0; node < m.config.nodes; ++node)
    shared += ref::slab::array_at(m, ref::slab::shared_array(m, cache, node)).avail;
  return fmt::format("{} {} {} {} {} : tunables {} {} {} : slabdata {} {} {}", sum.active,
                     sum.slabs * c.num, c.size, c.num, 1u << c.gfporder, c.limit, c.batchcount,
                     c.shared, sum.used_slabs, sum.slabs, shared);
}

std::string single_spaced(const std::string& line) {
  std::istringstream words(line);
  std::string text;
  for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

void slabinfo_restates(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  const Machine& m = world.machine();
  std::istringstream text(c.calls.slabinfo(m));
  std::string line;
  for (int heads = 0; heads < 2; ++heads) std::getline(text, line);
  const auto sums = count_slabs(m);
  Index link = m.arena.at(m.slab.globals, 0).first;
  for (; link != 0; link = ref::slab::cache_at(m, link - 1).next) {
    const std::string& name = sums[link - 1].name;
    line.clear();
    std::getline(text, line);
    const std::string numbers = numbers_of(m, link - 1, sums[link - 1]);
    const bool named = line.starts_with(name);
    const std::string actual = single_spaced(named ? line.substr(name.size()) : line);
    if (!c.holds(named && actual == numbers, name + " " + numbers, line, world)) return;
  }
  c.holds(!std::getline(text, line), "a line for each cache, and no more", line, world);
}

}  // namespace props::slab
