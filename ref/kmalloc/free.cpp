// Implements the calls that are given an address: how much is there, give it back, make it larger.
#include <algorithm>

#include "ref/kmalloc/pointed.hpp"
#include "ref/slab/direct.hpp"

namespace ref::kmalloc {
namespace {

using core::Effect;
using core::Fault;

// The bytes that may be used at an address, 0 at none. Nothing: no caller's memory begins there,
// and the log says so.
std::optional<std::uint64_t> usable(Machine& m, Address address) {
  const Pointed p = pointed(m, address);
  switch (p.at) {
    case At::nothing: return 0;
    case At::object: {
      const std::optional<slab::ObjectAt> object = slab::object_at(m, address);
      if (object && object->first == address && object->live)
        return slab::kmem_cache_size(m, object->cache);
      const bool begins = object && object->first == address;
      report(m, begins ? Fault::double_free : Fault::not_an_object, Effect::none, p.pfn);
      return std::nullopt;
    }
    case At::pages: {
      const std::optional<Pfn> head = folio_of(m, p.pfn);
      const std::uint64_t bytes =
          head ? std::uint64_t{m.config.page_bytes} << folio_order(m, *head) : 0;
      if (head && address == buddy::page_address(m, *head) &&
          bytes > slab::general_sizes(m.config).back())
        return bytes;
      break;
    }
    case At::outside: break;
  }
  report(m, Fault::not_an_object, Effect::none, p.pfn);
  return std::nullopt;
}

// K-7: the compound block that the address is in, or its single page with a warning. An address
// within a block frees the block all the same.
void free_large_kmalloc(Env& env, Machine& m, Address address, Pfn pfn) {
  const Pfn first = folio_of(m, pfn).value_or(pfn);
  const unsigned order = folio_of(m, pfn) ? folio_order(m, first) : 0;
  if (order == 0) warn_once(m, core::WarnOnce::kfree_of_page);
  buddy::free_pages_(env, m, first, order);
  if (order > 0 && address == buddy::page_address(m, first)) return;
  report(m, Fault::not_an_object, Effect::freed, first);  // unless buddy found something worse
}

void free_one(Env& env, Machine& m, Address address, const Pointed& p) {
  if (p.at == At::pages && m.profile().kfree_frees_pages)
    return free_large_kmalloc(env, m, address, p.pfn);
  if (p.at != At::object) return report(m, Fault::not_an_object, Effect::none, p.pfn);
  const std::optional<slab::ObjectAt> object = slab::object_at(m, address);
  if (!object) return report(m, Fault::not_an_object, Effect::none, p.pfn);
  slab::kmem_cache_free(env, m, object->cache, address);
}

void copy(Machine& m, Address to, Address from, std::uint64_t bytes) {
  const std::span<const std::byte> source = slab::read_bytes(m, from, bytes);
  std::ranges::copy(source, slab::write_bytes(m, to, bytes).begin());
}

}  // namespace

void kfree(Env& env, Machine& m, Address address) {
  if (slab::kfree_object(env, m, address)) [[likely]]
    return;
  const Pointed p = pointed(m, address);
  if (p.at != At::nothing) free_one(env, m, address, p);
}

void kfree_sensitive(Env& env, Machine& m, Address address) {
  const std::optional<std::uint64_t> bytes = usable(m, address);
  if (!bytes) return;  // a kernel would go on, with what it took for a size
  if (*bytes > 0) std::ranges::fill(slab::write_bytes(m, address, *bytes), std::byte{0});
  kfree(env, m, address);
}

// Unlike kfree it does not ask for NULL (kmem_cache_free_bulk).
void kfree_bulk(Env& env, Machine& m, std::span<const Address> addresses) {
  for (const Address address : addresses) free_one(env, m, address, pointed(m, address));
}

std::uint64_t ksize(Machine& m, Address address) { return usable(m, address).value_or(0); }

// K-10. The old block goes only when the new one is there, and the whole of it is copied.
Answer<Address> krealloc(Env& env, Machine& m, Address address, std::uint64_t size, Gfp gfp) {
  const std::optional<std::uint64_t> old = usable(m, address);
  if (!old) return std::unexpected(Refused::misuse);
  if (size == 0) {
    kfree(env, m, address);
    return m.profile().zero_size_ptr ? zero_size_ptr : Address::null;
  }
  if (size <= *old) {
    if (gfp & core::GFP_BIT_ZERO)
      std::ranges::fill(slab::write_bytes(m, address, *old).subspan(size), std::byte{0});
    return address;
  }
  const Answer<Address> got = kmalloc(env, m, size, gfp);
  if (!got) return got;
  if (*old > 0) copy(m, *got, address, *old);
  kfree(env, m, address);
  return got;
}

}  // namespace ref::kmalloc
