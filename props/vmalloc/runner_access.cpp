// The operations that read and write through addresses, and those that only look.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "props/vmalloc/contents.hpp"
#include "props/vmalloc/runner.hpp"

namespace props::vmalloc {

using namespace ref::core;
using Kind = Answer::Kind;
namespace vm = ref::vmalloc;

namespace {

constexpr std::string_view expected_bytes = "the bytes that stand in the page behind it";

}  // namespace

std::optional<std::byte> Runner::load_byte(std::uint64_t at) {
  std::byte byte{};
  if (!ref::mmu::load(m_, Address{at}, std::span(&byte, 1))) return std::nullopt;
  return byte;
}

// The link of what waits for free_work stands there.
bool Runner::frozen(Pfn pfn) const {
  return std::ranges::any_of(w_.areas_, [&](const Area& a) {
    return a.state == Area::State::deferred && !a.pages.empty() && a.pages.front() == pfn;
  });
}

// --- contents
// ---------------------------------------------------------------------------------------

// What this CPU reads behind a page's address is what stands in the page.
bool Runner::load_frame(const Area& a, std::uint64_t i) {
  const Pfn pfn = a.pages[i];
  const auto stamp = w_.contents_.find(pfn);
  if (stamp == w_.contents_.end() || stamp->second == 0) return true;
  for (const StampedWord& word : stamp_of(stamp->second, page())) {
    Word read{};
    const std::uint64_t at = a.first + i * page() + word.offset;
    const bool mapped = ref::mmu::load(m_, Address{at}, read).has_value();
    if (mapped && read == word.bytes) continue;
    w_.break_rule(mapped ? "VMALLOC-CONTENT" : "VMALLOC-MAPPED",
                  fmt::format("{:#x}: {}, pfn {}", at, expected_bytes, pfn),
                  mapped ? "other bytes" : "a page fault");
    return false;
  }
  return true;
}

// Looks, writes new contents through this CPU's translations, and sees them in the page.
void Runner::touch(Area& a) {
  for (std::uint64_t i = 0; i < a.pages.size() && !w_.broken(); ++i) {
    const auto known = w_.contents_.find(a.pages[i]);
    if (known == w_.contents_.end() || frozen(a.pages[i])) continue;
    if (!load_frame(a, i)) return;
    known->second = ++w_.stamps_;
    for (const StampedWord& word : stamp_of(known->second, page())) {
      const Address at{a.first + i * page() + word.offset};
      if (ref::mmu::store(m_, at, word.bytes)) continue;
      w_.break_rule("VMALLOC-MAPPED", fmt::format("page {} of the area writable", i),
                    "a page fault");
      return;
    }
    if (!w_.check_frame(a.pages[i], ", written through its address")) return;
  }
}

Answer Runner::operator()(const TouchArea& op) {
  Area* a = live(op.area);
  if (a == nullptr || !w_.judging_.stamps) return skipped();
  if (a->kind == AreaKind::kmalloc) {
    check_kmalloc(*a);
  } else if (a->kind != AreaKind::ioremap) {
    touch(*a);
  }
  return told();
}

// --- single bytes
// -----------------------------------------------------------------------------------

Answer Runner::operator()(const LoadArea& op) {
  const Area* a = live(op.area);
  if (a == nullptr || a->kind == AreaKind::kmalloc) return skipped();
  const std::uint64_t offset = op.offset.value % (a->bytes + a->guard);
  const std::uint64_t i = offset / page();
  const auto byte = load_byte(a->first + offset);
  if (i >= a->pages.size()) {
    if (!byte) return {Kind::refused};
    w_.break_rule("VMALLOC-GUARD",
                  fmt::format("a page fault at byte {:#x}, where nothing is", offset),
                  fmt::format("{:#x}", std::to_integer<unsigned>(*byte)));
    return {};
  }
  const std::uint64_t inside = offset % page();
  const bool device = ref::buddy::zone_of_pfn(m_, a->pages[i]) == ref::buddy::no_zone;
  const std::byte wanted = device
                               ? ref::mmu::device_byte(std::uint64_t{a->pages[i]} * page() + inside)
                               : ref::buddy::read_pages(m_, a->pages[i], inside, 1)[0];
  if (byte == wanted) return {Kind::count, std::to_integer<std::uint64_t>(wanted)};
  w_.break_rule(byte ? "VMALLOC-CONTENT" : "VMALLOC-MAPPED",
                fmt::format("{:#x} at byte {:#x}, pfn {}", std::to_integer<unsigned>(wanted),
                            offset, a->pages[i]),
                byte ? fmt::format("{:#x}", std::to_integer<unsigned>(*byte)) : "a page fault");
  return {};
}

// Writes what stands there with one bit changed, reads it in the page, and puts it back.
Answer Runner::operator()(const StoreArea& op) {
  const Area* a = live(op.area);
  if (a == nullptr || a->kind == AreaKind::kmalloc) return skipped();
  const std::uint64_t offset = op.offset.value % (a->bytes + a->guard), i = offset / page();
  const Address at{a->first + offset};
  if (i >= a->pages.size() || a->kind == AreaKind::ioremap) {
    const std::byte any{0x5a};
    const bool stored = ref::mmu::store(m_, at, std::span(&any, 1)).has_value();
    if (stored == (i < a->pages.size())) return stored ? Answer{} : Answer{Kind::refused};
    w_.break_rule(stored ? "VMALLOC-GUARD" : "VMALLOC-MAPPED",
                  stored ? fmt::format("a page fault at byte {:#x}, where nothing is", offset)
                         : fmt::format("byte {:#x} of a device", offset),
                  stored ? "a store" : "a page fault");
    return {};
  }
  if (!w_.owned(a->pages[i]) || frozen(a->pages[i])) return skipped();
  const auto in_page = [&] {
    return ref::buddy::read_pages(m_, a->pages[i], offset % page(), 1)[0];
  };
  const std::byte before = in_page(), other = before ^ std::byte{1};
  const bool stored = ref::mmu::store(m_, at, std::span(&other, 1)).has_value();
  if (!stored || in_page() != other)
    w_.break_rule(stored ? "VMALLOC-CONTENT" : "VMALLOC-MAPPED",
                  fmt::format("byte {:#x} written into pfn {}", offset, a->pages[i]),
                  stored ? "it stands elsewhere" : "a page fault");
  else if (!ref::mmu::store(m_, at, std::span(&before, 1)) || in_page() != before)
    w_.break_rule("VMALLOC-CONTENT", "the byte put back", "it stands elsewhere");
  return {};
}

// Reading where nobody's area is. A CPU may still know what was there, where flushes are put off.
Answer Runner::operator()(const LoadStale& op) {
  const Area* a = gone(op.area);
  if (a == nullptr || !w_.ranges_.free_at(a->first) || w_.inside_ ||
      ref::mmu::walk(m_, Address{a->first}))
    return skipped();
  const auto byte = load_byte(a->first);
  if (!byte) return {Kind::refused};
  // Whoever was there last: the register's area, or one that had its room after it.
  if (std::ranges::none_of(w_.lazy_, [&](const Range& r) { return r.holds(a->first); }))
    w_.break_rule("VMALLOC-FLUSHED",
                  fmt::format("a page fault at {:#x}: its area is gone, and flushed", a->first),
                  fmt::format("{:#x}", std::to_integer<unsigned>(*byte)));
  ++w_.reach_[ReachEvent::stale_load];
  return {Kind::count, std::to_integer<std::uint64_t>(*byte)};
}

Answer Runner::operator()(const Prefetch& op) {
  const Area& a = w_.areas_[op.area.value];
  const std::uint64_t at = a.first + op.page.value * page();
  const bool inside = at >= w_.ranges_.window().first && at < w_.ranges_.window().end;
  if (a.first == 0 || op.cpu.value >= m_.config.cpus || !inside) return skipped();
  const auto cpu = static_cast<std::uint32_t>(op.cpu.value);
  ref::mmu::prefetch(m_, cpu, Address{at});
  w_.reach_[ReachEvent::prefetched] += ref::mmu::cached(m_, cpu, Address{at}).has_value();
  return {};
}

// --- looking
// ----------------------------------------------------------------------------------------

Answer Runner::operator()(const VmallocToPage& op) {
  const Area* a = live(op.area);
  if (a == nullptr || a->kind == AreaKind::kmalloc) return skipped();
  const std::uint64_t offset = op.offset.value % (a->bytes + a->guard), i = offset / page();
  const auto pfn = vm::vmalloc_to_page(m_, Address{a->first + offset});
  const bool device = a->kind == AreaKind::ioremap;  // frames outside RAM have no struct page
  const bool mapped = i < a->pages.size();
  const Pfn wanted = mapped ? a->pages[i] : 0;
  const bool right = pfn.has_value() == mapped && pfn.value_or(0) == wanted;
  if (right || (device && !pfn)) return pfn ? Answer{Kind::pfn, *pfn} : Answer{Kind::refused};
  w_.break_rule("VMALLOC-TO-PAGE",
                mapped ? fmt::format("pfn {} at byte {:#x}", wanted, offset)
                       : fmt::format("no page at byte {:#x}", offset),
                pfn ? fmt::format("pfn {}", *pfn) : "none");
  return {};
}

// Nobody but the area's user sees its pages, and nobody its guard.
Answer Runner::operator()(const RemapRange& op) {
  const Area* a = live(op.area);
  if (a == nullptr || a->kind == AreaKind::kmalloc) return skipped();
  const std::uint64_t pgoff = op.pgoff.value, bytes = op.size.value;
  const auto shown = vm::remap_vmalloc_range(m_, a->address, pgoff, bytes);
  const std::uint64_t count = bytes / page() + (bytes % page() != 0);
  const bool user = (a->flags & (vm::VM_USERMAP | vm::VM_DMA_COHERENT)) != 0;
  const bool inside = user && count > 0 && a->pages.size() == a->bytes / page() &&
                      pgoff <= a->pages.size() && count <= a->pages.size() - pgoff;
  if (!inside || a->kind == AreaKind::ioremap) {
    if (!shown) return {Kind::refused};
    w_.break_rule("VMALLOC-SHOWN", "nothing shown that is not all of this area, for its user",
                  fmt::format("{} pages", shown->size()));
    return {};
  }
  const bool same = shown && std::ranges::equal(*shown, std::span(a->pages).subspan(pgoff, count));
  if (!same)
    w_.break_rule("VMALLOC-SHOWN",
                  fmt::format("{} pages from page {} of the area on", count, pgoff),
                  shown ? "others" : "refused");
  return {Kind::count, count};
}

// V-32: guards, holes and devices are zeros.
Answer Runner::operator()(const Vread& op) {
  const Area* a = live(op.area);
  if (a == nullptr || a->kind == AreaKind::kmalloc || a->kind == AreaKind::ram) return skipped();
  const std::uint64_t offset = op.offset.value % (a->bytes + a->guard);
  const std::uint64_t count = std::min(op.count.value, a->bytes + a->guard - offset);
  std::vector<std::byte> out(count, std::byte{0xa5});
  const std::uint64_t read = vm::vread(m_, Address{a->first + offset}, out);
  if (read == 0 && (count == 0 || offset >= a->bytes)) return {Kind::count, 0};
  for (std::uint64_t at = 0; at < count; ++at) {
    const std::uint64_t i = (offset + at) / page();
    const bool zero = i >= a->pages.size() || (a->flags & vm::VM_IOREMAP) != 0;
    const std::byte wanted =
        zero ? std::byte{0} : ref::buddy::read_pages(m_, a->pages[i], (offset + at) % page(), 1)[0];
    if (read == count && out[at] == wanted) continue;
    w_.break_rule("VMALLOC-READ",
                  fmt::format("{} bytes, {:#x} at byte {:#x}", count,
                              std::to_integer<unsigned>(wanted), offset + at),
                  fmt::format("{} bytes, {:#x}", read, std::to_integer<unsigned>(out[at])));
    return {};
  }
  return {Kind::count, read};
}

// VI-1: a line for each area, by address, with its size and its guard.
Answer Runner::operator()(const ReadVmallocinfo&) {
  if (!w_.up()) return skipped();
  const std::string text = vm::vmallocinfo(m_);
  std::vector<Range> listed, unpurged;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    Range r;
    char* rest = nullptr;
    r.first = std::strtoull(line.c_str(), &rest, 16);
    r.end = *rest == '-' ? std::strtoull(rest + 1, nullptr, 16) : 0;
    (line.ends_with("unpurged vm_area") ? unpurged : listed).push_back(r);
    at = end + 1;
  }
  if (!std::ranges::is_sorted(listed, {}, &Range::first))
    w_.break_rule("VMALLOC-LISTED", "areas by address", text);
  for (const Area& a : w_.areas_) {
    const bool in_window = a.taken() && a.kind != AreaKind::kmalloc && a.kind != AreaKind::ram;
    if (!in_window || w_.broken()) continue;
    const auto same = std::ranges::count(listed, a.range());
    if (same != 1)
      w_.break_rule("VMALLOC-LISTED",
                    fmt::format("one line of {:#x}-{:#x}", a.first, a.range().end),
                    fmt::format("{}", same));
  }
  for (const Range& r : unpurged)
    if (std::ranges::any_of(w_.areas_, [&](const Area& a) {
          return a.taken() && a.kind != AreaKind::kmalloc && a.range().meets(r);
        }))
      w_.break_rule("VMALLOC-LISTED", "no area among what is lazy", fmt::format("{:#x}", r.first));
  return {Kind::count, listed.size() + unpurged.size()};
}

}  // namespace props::vmalloc
