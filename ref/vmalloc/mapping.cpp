// Implements mapping and unmapping, with page tables from the page allocator, and page lists.
#include "ref/vmalloc/mapping.hpp"

#include "ref/slab/grow.hpp"

namespace ref::vmalloc {
namespace {

using namespace core;  // the gfp bits

Address after(Address base, std::uint64_t bytes) {
  return Address{static_cast<std::uint64_t>(base) + bytes};
}

// pte_alloc_kernel. While it waits for its page somebody else may have installed a table.
Done provide_table(Env& env, Machine& m, Address address, Gfp gfp) {
  const Answer<Pfn> table = buddy::alloc_page(env, m, gfp);
  if (!table) return std::unexpected(slab::forget_wait(m, table.error()));
  if (mmu::needs_table(m, address)) mmu::install_table(m, address, *table);
  else buddy::free_page_(env, m, *table);
  return {};
}

Done map_page(Env& env, Machine& m, Address address, Pfn pfn, Gfp tables) {
  for (;;) switch (mmu::map(m, address, pfn)) {
      case mmu::Mapped::done: return {};
      case mmu::Mapped::busy: warn(m); return std::unexpected(Refused::no_memory);
      case mmu::Mapped::needs_table:
        if (const Done provided = provide_table(env, m, address, tables); !provided)
          return provided;
    }
}

// The pages up to the first that is none.
std::vector<Pfn> good_pages(const Machine& m, std::span<const std::optional<Pfn>> pages) {
  std::vector<Pfn> good;
  for (const std::optional<Pfn>& pfn : pages) {
    if (!pfn || buddy::zone_of_pfn(m, *pfn) == buddy::no_zone) break;
    good.push_back(*pfn);
  }
  return good;
}

}  // namespace

Gfp table_gfp(const Machine& m, Gfp gfp) {
  const Gfp all = gfp_of(m.config.era, "GFP_KERNEL") | GFP_BIT_ZERO | m.profile().page_table_gfp;
  constexpr Gfp scopes = GFP_BIT_IO | GFP_BIT_FS;
  if (!m.profile().page_tables_keep_scope) return all;
  if ((gfp & scopes) == GFP_BIT_IO) return all & ~GFP_BIT_FS;
  return (gfp & scopes) == 0 ? all & ~scopes : all;
}

Done map_pages(Env& env, Machine& m, Index page, std::span<const Pfn> frames, Gfp tables) {
  for (const Pfn pfn : frames)
    if (const Done done = map_page(env, m, address_of(m, page++), pfn, tables); !done) return done;
  return {};
}

Done map_frames(Env& env, Machine& m, Index page, Pfn first, std::uint32_t count) {
  const Gfp tables = table_gfp(m, gfp_of(m.config.era, "GFP_KERNEL"));
  for (std::uint32_t i = 0; i < count; ++i)
    if (const Done done = map_page(env, m, address_of(m, page + i), first + i, tables); !done)
      return done;
  return {};
}

Done map_list(Env& env, Machine& m, Index page, std::span<const std::optional<Pfn>> pages) {
  const std::vector<Pfn> good = good_pages(m, pages);
  const Done done = map_pages(env, m, page, good, table_gfp(m, gfp_of(m.config.era, "GFP_KERNEL")));
  if (!done || good.size() == pages.size()) return done;
  if (m.profile().vmalloc_warns) warn(m);
  report(m, Fault::no_such_page, Effect::none, pages[good.size()].value_or(0));
  return std::unexpected(Refused::misuse);
}

void flush_window(Machine& m, Index begin, Index end) {
  mmu::flush_range(m, address_of(m, begin), address_of(m, end), mmu::Cpus::all);
}

void unmap_and_release(Env& env, Machine& m, Index page) {
  const Index end = page + range_at(m, page).pages;
  for (Index p = page; p < end; ++p) mmu::unmap(m, address_of(m, p));
  env.at(Point::vmalloc_unmapped);
  switch (m.profile().unmapping) {
    case Unmapping::flushed_at_once: flush_window(m, page, end); break;
    case Unmapping::lazy_purge: break;
  }
  release_range(env, m, page);
}

// Lists of pages: a struct page is known by its frame, and NULL is zero.

void write_entry(Machine& m, Address list, std::uint64_t i, std::optional<Pfn> pfn) {
  const Address at = after(list, i * m.profile().word_bytes);
  if (!write_word(m, at, pfn ? std::uint64_t{*pfn} + 1 : 0))
    report(m, Fault::overwritten, Effect::none);  // somebody freed the list meanwhile
}

std::optional<Pfn> read_entry(Machine& m, Address list, std::uint64_t i) {
  const auto word = read_word(m, after(list, i * m.profile().word_bytes));
  if (!word || *word == 0 || *word > pfn_end) return std::nullopt;
  return static_cast<Pfn>(*word - 1);
}

std::uint64_t page_array_bytes(const Machine& m, std::uint64_t pages) {
  return pages * m.profile().word_bytes;
}

void write_page_array(Machine& m, Address list, std::span<const std::optional<Pfn>> pages) {
  for (std::uint64_t i = 0; i < pages.size(); ++i) write_entry(m, list, i, pages[i]);
}

bool write_word(Machine& m, Address address, std::uint64_t value) {
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(value >> 8 * i);
  return mmu::store(m, address, std::span(bytes).first(m.profile().word_bytes)).has_value();
}

std::optional<std::uint64_t> read_word(Machine& m, Address address) {
  std::array<std::byte, 8> bytes{};
  const std::span<std::byte> word = std::span(bytes).first(m.profile().word_bytes);
  if (!mmu::load(m, address, word)) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < word.size(); ++i)
    value |= std::to_integer<std::uint64_t>(word[i]) << 8 * i;
  return value;
}

std::optional<Pfn> vmalloc_to_page(const Machine& m, Address address) {
  if (!is_vmalloc_addr(m, address)) return std::nullopt;
  const std::optional<Pfn> pfn = mmu::walk(m, address);
  return pfn && buddy::zone_of_pfn(m, *pfn) != buddy::no_zone ? pfn : std::nullopt;
}

}  // namespace ref::vmalloc
