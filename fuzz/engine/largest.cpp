// Asks each interface for more and more.
#include "fuzz/engine/largest.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "props/core/machine_line.hpp"
#include "ref/kmalloc/kmalloc.hpp"

namespace fuzz {
namespace {

using ref::kmalloc::Machine;

struct QuietEnv final : ref::core::Env {};

ref::core::Gfp caller(const Machine& m) {
  return ref::core::gfp_of(m.config.era, "GFP_KERNEL") | ref::core::GFP_BIT_NORETRY |
         ref::core::GFP_BIT_NOWARN;
}

unsigned order_of(const Machine& m, std::uint64_t bytes) {
  return static_cast<unsigned>(std::bit_width((bytes - 1) / m.config.page_bytes));
}

std::uint64_t pages_limit(const Machine& m) {
  return std::uint64_t{m.config.page_bytes} << (m.config.orders - 1);
}

struct Interface {
  std::string_view name, documented_as;
  std::uint64_t (*documented)(const Machine&);
  bool (*grants)(Machine&, std::uint64_t bytes);
};

bool alloc_pages(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  return ref::buddy::alloc_pages(env, m, caller(m), order_of(m, bytes)).has_value();
}

bool get_free_pages(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  return ref::buddy::get_free_pages_(env, m, caller(m), order_of(m, bytes)).has_value();
}

bool alloc_pages_exact(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  return ref::buddy::alloc_pages_exact(env, m, bytes, caller(m)).has_value();
}

bool kmalloc(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  return ref::kmalloc::kmalloc(env, m, bytes, caller(m)).has_value();
}

// A cache of objects of that size, and one object of it.
bool kmem_cache_create(Machine& m, std::uint64_t bytes) {
  QuietEnv env;
  ref::slab::CacheSpec spec;
  spec.name = "largest", spec.size = bytes;
  const auto cache = ref::slab::kmem_cache_create(env, m, spec);
  return cache && ref::slab::kmem_cache_alloc(env, m, *cache, caller(m)).has_value();
}

std::uint64_t kmalloc_limit(const Machine& m) { return ref::kmalloc::kmalloc_max_size(m.config); }

constexpr std::array interfaces{
    Interface{"alloc_pages", "2^(orders - 1) pages", &pages_limit, &alloc_pages},
    Interface{"__get_free_pages", "2^(orders - 1) pages", &pages_limit, &get_free_pages},
    Interface{"alloc_pages_exact", "2^(orders - 1) pages", &pages_limit, &alloc_pages_exact},
    Interface{"kmalloc", "the largest class, or KMALLOC_MAX_SIZE", &kmalloc_limit, &kmalloc},
    Interface{"kmem_cache_create", "as kmalloc's, with an object of it", &kmalloc_limit,
              &kmem_cache_create},
};

// True if a newborn machine grants the request, which `m` then has.
bool ask(const Interface& interface, const Machine& newborn, Machine& m, std::uint64_t bytes) {
  m = newborn;
  return interface.grants(m, bytes);
}

// More than any machine has.
constexpr std::uint64_t hopeless = std::uint64_t{1} << 40;

Largest largest(const Interface& interface, const Machine& newborn) {
  Largest found{interface.name, interface.documented(newborn), interface.documented_as, 0, {}};
  Machine m = newborn;
  std::uint64_t granted = 0, refused = hopeless;
  for (std::uint64_t bytes = 1; bytes < hopeless; bytes *= 2)
    if (ask(interface, newborn, m, bytes)) granted = bytes;
  refused = granted == 0 ? 1 : granted * 2;
  while (refused - granted > 1) {
    const std::uint64_t middle = granted + (refused - granted) / 2;
    (ask(interface, newborn, m, middle) ? granted : refused) = middle;
  }
  m = newborn;
  if (granted > 0) (void)ask(interface, newborn, m, granted);
  found.granted = granted;
  found.buddyinfo = ref::buddy::buddyinfo(m);
  return found;
}

}  // namespace

LargestRequests largest_requests(const ref::core::Config& config) {
  Machine newborn(config);
  newborn.arena.rebase();
  LargestRequests found{props::print_machine(config), ref::buddy::buddyinfo(newborn), {}};
  for (const Interface& interface : interfaces)
    found.requests.push_back(largest(interface, newborn));
  return found;
}

std::string largest_text(const LargestRequests& found) {
  std::string text =
      fmt::format("machine {}\n\nbuddyinfo before\n{}\n", found.machine, found.buddyinfo);
  text += fmt::format("{:<18} {:>10} {:>11}\n", "largest request", "granted", "documented");
  for (const Largest& l : found.requests)
    text += fmt::format("{:<18} {:>10} {:>11}  {}\n", l.interface, l.granted, l.documented,
                        l.documented_as);
  for (const Largest& l : found.requests)
    text +=
        fmt::format("\nbuddyinfo after {} of {} bytes\n{}", l.interface, l.granted, l.buddyinfo);
  return text;
}

}  // namespace fuzz
