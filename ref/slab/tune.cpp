// Implements what a cache has besides slabs: nodes, and arrays of the sizes that are asked for.
#include <algorithm>

#include "ref/slab/alloc.hpp"
#include "ref/slab/create.hpp"

namespace ref::slab {
namespace {

// struct alien_cache holds a lock before the array.
constexpr std::uint32_t alien_struct_bytes = array_struct_bytes + 8;
constexpr std::uint32_t node_struct_bytes = 120;  // struct kmem_cache_node

// Parts that are allocated and not yet used; 0: not needed.
struct NodeParts {
  std::uint64_t object, shared, alien_object;
  std::array<std::uint64_t, core::nodes_max> alien;
};
struct Parts {
  std::array<NodeParts, core::nodes_max> node;
  std::array<std::uint64_t, core::cpus_max> cpu;
};

// One object after the other; after the first that was refused, none.
class Gathering {
 public:
  Gathering(Env& env, Machine& m, Gfp gfp) : env_(env), m_(m), gfp_(gfp) {}
  void get(std::uint64_t& part, std::uint64_t bytes, std::uint32_t node) {
    if (failed_) return;
    const std::optional<CacheId> cache = general_cache(m_, bytes, 0);
    const auto object = cache ? alloc_own(env_, m_, static_cast<Index>(*cache), gfp_, node)
                              : alloc_own_pages(env_, m_, bytes, gfp_, node);
    if (object) part = *object;
    else failed_ = true, why_ = object.error();
  }
  void forgive() { failed_ = failed_ && why_ != Refused::no_memory; }
  bool failed() const { return failed_; }
  Refused why() const { return why_; }

 private:
  Env& env_;
  Machine& m_;
  Gfp gfp_;
  bool failed_ = false;
  Refused why_ = Refused::no_memory;
};

void free_gathered(Env& env, Machine& m, const Parts& parts) {
  for (const std::uint64_t array : parts.cpu) free_own(env, m, array);
  for (const NodeParts& n : parts.node) {
    free_own(env, m, n.shared);
    for (const std::uint64_t alien : n.alien) free_own(env, m, alien);
    free_own(env, m, n.alien_object);
    free_own(env, m, n.object);
  }
}

std::uint64_t array_bytes(const Machine& m, std::uint64_t entries) {
  return array_struct_bytes + entries * m.profile().word_bytes;
}

std::uint32_t alien_limit_of(const Tunables& t) { return t.limit > 1 ? alien_limit : t.limit; }

// setup_kmem_cache_node: alien arrays, shared array, the node itself.
void gather_node(Gathering& g, const Machine& m, const Tunables& t, std::uint32_t node,
                 const Node& now, NodeParts& parts) {
  if (now.alien_object == 0 && m.config.nodes > 1) {
    g.get(parts.alien_object, std::uint64_t{m.config.nodes} * m.profile().word_bytes, node);
    for (std::uint32_t of = 0; of < m.config.nodes; ++of) {
      if (of == node) continue;
      g.get(parts.alien[of],
            alien_struct_bytes + std::uint64_t{alien_limit_of(t)} * m.profile().word_bytes, node);
    }
  }
  if (t.shared > 0)
    g.get(parts.shared, array_bytes(m, std::uint64_t{t.shared} * t.batchcount), node);
  if (now.object == 0) g.get(parts.object, node_struct_bytes, node);
}

// In the order of the era. 2.6.11 can do without a shared array, and its node is in the descriptor.
void gather(Gathering& g, const Machine& m, Index cache, Tunables& t, Parts& parts) {
  if (m.profile().cpu_arrays_are_objects) {
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
      g.get(parts.cpu[cpu], array_bytes(m, t.limit), 0);
    if (g.failed()) return;
    if (t.shared > 0)
      g.get(parts.node[0].shared, array_bytes(m, std::uint64_t{t.shared} * t.batchcount), 0);
    if (parts.node[0].shared == 0) t.shared = 0;
    return g.forgive();
  }
  for (std::uint32_t node = 0; node < m.config.nodes; ++node)
    gather_node(g, m, t, node, node_at(m, cache, node), parts.node[node]);
}

// A new array in the place of an old one, whose objects go to the slabs and whose memory goes back.
// 6.1 looks for slabs beyond the limit even where the old one had none.
void replace_array(Env& env, Machine& m, Index cache, const ArrayRef& a, std::uint32_t node,
                   const ArrayCache& with) {
  Taken taken;
  take_oldest(m, a, array_at(m, a).avail, taken);
  const ArrayCache was = array_at(m, a);
  edit_array(m, a) = with;
  if (was.present) free_block(env, m, cache, taken.all(), node);
  free_own(env, m, was.object);
}

ArrayCache new_array(std::uint64_t object, std::uint32_t limit, std::uint32_t batchcount) {
  return {.object = object,
          .avail = 0,
          .limit = limit,
          .batchcount = batchcount,
          .touched = 0,
          .present = 1,
          .zero = 0,
          .zero_too = 0};
}

void install_node(Env& env, Machine& m, Index cache, const Tunables& t, std::uint32_t node,
                  const NodeParts& parts) {
  Node& n = edit_node(m, cache, node);
  if (!n.present) n.next_reap = globals_of(m).clock + reap_timeout_node;
  n.present = 1;
  if (parts.object != 0) n.object = parts.object;
  if (parts.alien_object != 0) n.alien_object = parts.alien_object;
  for (std::uint32_t of = 0; of < m.config.nodes; ++of)
    if (parts.alien[of] != 0)
      edit_array(m, alien_array(m, cache, node, of)) =
          new_array(parts.alien[of], alien_limit_of(t), no_batchcount);
  set_free_limit(m, cache, node);
  const ArrayRef shared = shared_array(m, cache, node);
  const ArrayCache with =
      t.shared > 0 ? new_array(parts.shared, t.shared * t.batchcount, no_batchcount) : ArrayCache{};
  if (array_at(m, shared).present || with.present) replace_array(env, m, cache, shared, node, with);
}

}  // namespace

// S-10.
Tunables default_tunables(const Machine& m, Index cache) {
  const std::uint32_t size = cache_at(m, cache).size;
  std::uint32_t limit = 120;
  if (size > 131072) limit = 1;
  else if (size > m.config.page_bytes) limit = 8;
  else if (size > 1024) limit = 24;
  else if (size > 256) limit = 54;
  if (m.config.slab_debug) limit = std::min(limit, 32u);
  const std::uint32_t shared = size <= m.config.page_bytes && m.config.cpus > 1 ? 8 : 0;
  return {limit, (limit + 1) / 2, shared};
}

Answer<Tunables> do_tune_cpucache(Env& env, Machine& m, Index cache, Tunables t, Gfp gfp) {
  Parts parts{};
  Gathering gathering(env, m, gfp);
  gather(gathering, m, cache, t, parts);
  if (gathering.failed()) {
    free_gathered(env, m, parts);
    return std::unexpected(gathering.why());
  }
  Cache& c = edit_cache(m, cache);
  c.limit = t.limit, c.batchcount = t.batchcount, c.shared = t.shared;
  if (m.profile().cpu_arrays_are_objects) set_free_limit(m, cache, 0);
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    replace_array(env, m, cache, cpu_array(m, cache, cpu), buddy::node_of_cpu(m, cpu),
                  new_array(parts.cpu[cpu], t.limit, t.batchcount));
  for (std::uint32_t node = 0; node < m.config.nodes; ++node)
    install_node(env, m, cache, t, node, parts.node[node]);
  return t;
}

// __kmem_cache_release: the arrays are empty.
void free_parts(Env& env, Machine& m, Index cache) {
  const auto drop = [&](const ArrayRef& a) {
    REQUIRE(array_at(m, a).avail == 0);
    const std::uint64_t object = array_at(m, a).object;
    if (array_at(m, a).present) edit_array(m, a) = {};
    free_own(env, m, object);
  };
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) drop(cpu_array(m, cache, cpu));
  for (std::uint32_t node = 0; node < m.config.nodes; ++node) {
    drop(shared_array(m, cache, node));
    for (std::uint32_t of = 0; of < m.config.nodes && m.config.nodes > 1; ++of)
      drop(alien_array(m, cache, node, of));
    const Node n = node_at(m, cache, node);
    edit_node(m, cache, node) = {};
    free_own(env, m, n.alien_object);
    free_own(env, m, n.object);
  }
}

}  // namespace ref::slab
