// Judges answers by what the registers know: where memory lies, how large it is, what it holds.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/core/probe.hpp"
#include "props/kmalloc/runner.hpp"

namespace props::kmalloc {

using namespace ref::core;
using ref::buddy::Refused;
using Kind = Answer::Kind;

namespace {

std::uint64_t number(Address address) { return static_cast<std::uint64_t>(address); }
bool may_block(Gfp gfp) { return gfp & GFP_BIT_DIRECT_RECLAIM; }

}  // namespace

std::string Runner::address_text(Address address) { return fmt::format("{:#x}", number(address)); }

bool Runner::too_large(const Want& want) const {
  return want.impossible || want.size > ref::kmalloc::kmalloc_max_size(m_.config);
}

// Everything but memory: an answer. Nothing: there is memory, and the call was right so far.
std::optional<Answer> Runner::judge_call(const Want& want, const Got& got) {
  const Log& log = m_.globals().log;
  const bool served = !too_large(want) && (want.size > 0 || !m_.profile().zero_size_ptr);
  const bool sleeps = served && may_block(want.gfp) && in_atomic(m_);
  // S-33: only where a cache must grow.
  const bool stops = served && !m_.profile().kmalloc_pages_above &&
                     (want.gfp & (GFP_BIT_HIGHMEM | GFP_BIT_ZERO)) != 0;
  const bool stopped = stops && log.fault == Fault::bad_slab_gfp;
  if (stopped) {
    ++w_.reach_.faults[static_cast<std::size_t>(log.fault)];
  } else {
    const Answer answer =
        expect_fault(sleeps ? Fault::sleeping_in_atomic : Fault::none, Effect::none);
    if (w_.broken()) return answer;
  }
  if (m_.globals().injected) ++w_.reach_[ReachEvent::injected];
  if (want.impossible) ++w_.reach_[ReachEvent::overflow];
  else if (too_large(want)) ++w_.reach_[ReachEvent::above_limit];
  if (got && !too_large(want)) return std::nullopt;
  if (got) {
    w_.break_rule("KMALLOC-LIMIT",
                  want.impossible ? "refused: no number holds the product"
                                  : fmt::format("{} bytes refused", want.size),
                  address_text(*got));
    return Answer{};
  }
  if (got.error() == Refused::misuse) {
    if (!stops) w_.break_rule("KMALLOC-MISUSE", "memory or a refusal", "misuse");
    return Answer{Kind::fault, 0, log.fault};
  }
  if (got.error() == Refused::suspended) return judge_suspended(want);
  if (!too_large(want)) probe(want);
  if (sleeps) return Answer{Kind::fault, 0, log.fault};
  return Answer{Kind::refused};
}

Answer Runner::judge_suspended(const Want& want) {
  if (!may_block(want.gfp) || in_atomic(m_) || too_large(want)) {
    w_.break_rule("KMALLOC-WAITS", "memory or a refusal: this caller cannot wait",
                  "it was suspended");
    return {};
  }
  probe(want);
  return w_.broken() ? Answer{} : wait(want.op);
}

// Refused or waiting: asked of the page allocator, on a copy. Its per-CPU lists stay as they are,
// for what they hide it may refuse. Whatever an object allocator needs for one object, two blocks
// of twice the size are enough.
void Runner::probe(const Want& want) {
  if (w_.interleaved_ || w_.inside_ || w_.broken() || m_.globals().injected) return;
  if (want.gfp & GFP_BIT_NO_GROW) return;  // it did not ask for pages
  const std::uint64_t page = m_.config.page_bytes;
  const std::uint64_t pages = (std::max<std::uint64_t>(want.size, 1) + page - 1) / page;
  const auto order = static_cast<unsigned>(std::bit_width(pages - 1)) + 1;
  if (order >= m_.config.orders) return;
  ++w_.reach_[ReachEvent::probe];
  QuietEnv env;
  w_.scratch_ = m_;
  plan_failure(w_.scratch_, 0);
  const Gfp gfp = want.gfp & ~Gfp{GFP_BIT_HIGHMEM | GFP_BIT_DMA32 | GFP_BIT_ZERO | GFP_BIT_NOFAIL};
  const std::uint32_t node = want.node.value_or(ref::buddy::node_of_cpu(m_, m_.globals().cpu));
  for (int i = 0; i < 2; ++i)
    if (!ref::buddy::alloc_pages_node(env, w_.scratch_, node, gfp, order)) return;
  w_.break_rule(
      "KMALLOC-REFUSED",
      fmt::format("{} bytes: twice 2^{} pages can be had by this caller", want.size, order),
      "refused");
}

// --- memory that was granted --------------------------------------------------------------------

std::optional<Memory> Runner::judge_granted(const Want& want, Address got) {
  Memory memory{.live = true, .address = got, .size = want.size};
  if (want.size == 0 && m_.profile().zero_size_ptr) {
    memory.nothing = true;
    ++w_.reach_[ReachEvent::nothing];
    if (got == ref::kmalloc::zero_size_ptr) return memory;
    w_.break_rule("KMALLOC-NOTHING", "the address of nothing", address_text(got));
    return std::nullopt;
  }
  if (got <= ref::kmalloc::zero_size_ptr) {
    w_.break_rule("KMALLOC-NOTHING", fmt::format("{} bytes of memory", want.size),
                  address_text(got));
    return std::nullopt;
  }
  const std::uint64_t least = m_.profile().zero_size_ptr ? 8 : 4;
  if (number(got) % least != 0) {
    w_.break_rule("KMALLOC-ALIGNED", fmt::format("a multiple of {}", least), address_text(got));
    return std::nullopt;
  }
  const Log log = m_.globals().log;
  memory.usable = ref::kmalloc::ksize(m_, got);
  m_.edit_globals().log = log;
  memory.owned = want.size;
  judge_size(want, memory);
  judge_place(want, memory);
  if (w_.broken()) return std::nullopt;
  const auto ram = slab::ram_of(m_, number(got), memory.usable);
  if (!ram) {
    w_.break_rule("KMALLOC-INSIDE", "memory in one zone",
                  fmt::format("{} bytes at {:#x}", memory.usable, number(got)));
    return std::nullopt;
  }
  memory.ram = *ram;
  ++w_.reach_.granted[std::min<std::size_t>(std::bit_width(memory.usable) - 1u,
                                            Reach::size_classes - 1)];
  if (want.size > w_.largest_) {
    w_.largest_ = want.size;
    w_.largest_gfp_ = (want.gfp & GFP_BIT_DMA) | gfp_of(m_.config.era, "GFP_KERNEL") |
                      GFP_BIT_NORETRY | GFP_BIT_NOWARN;
  }
  return memory;
}

void Runner::judge_size(const Want& want, const Memory& memory) {
  if (memory.usable < want.size || memory.usable == 0)
    return w_.break_rule("KMALLOC-ROOM", fmt::format("{} usable bytes or more", want.size),
                         fmt::format("{}", memory.usable));
  std::uint64_t fit = 0;
  for (const std::uint32_t size : ref::slab::general_sizes(m_.config))
    if (size >= want.size && (fit == 0 || size < fit)) fit = size;
  if (fit == 0) {
    ++w_.reach_[ReachEvent::large];
    fit = m_.config.page_bytes;
    while (fit < want.size) fit *= 2;
  }
  if (memory.usable != fit)
    return w_.break_rule("KMALLOC-CLASS", fmt::format("{} usable bytes for {}", fit, want.size),
                         fmt::format("{}", memory.usable));
  const std::uint64_t told =
      ref::kmalloc::kmalloc_size_roundup(m_, std::max<std::uint64_t>(want.size, 1));
  if (told != memory.usable)
    w_.break_rule("KMALLOC-ROUNDUP", fmt::format("{} for {}", memory.usable, want.size),
                  fmt::format("{}", told));
}

void Runner::judge_place(const Want& want, const Memory& memory) {
  const std::uint64_t at = number(memory.address), usable = memory.usable;
  const bool modern = m_.profile().zero_size_ptr;
  const std::uint64_t largest = ref::slab::general_sizes(m_.config).back();
  const std::uint64_t align = usable > largest ? m_.config.page_bytes : usable;
  if (modern && std::has_single_bit(align) && at % align != 0)
    w_.break_rule("KMALLOC-NATURAL", fmt::format("a multiple of {}", align),
                  address_text(memory.address));
  for (const std::uint64_t byte : {at, at + usable - 1}) {
    const auto pfn = ref::buddy::virt_to_pfn(m_, Address{byte});
    const auto head = pfn ? ref::buddy::head_of(m_, *pfn) : std::nullopt;
    bool in_use = false, allowed = false;
    if (head) {
      const auto& zone = ref::buddy::zone_at(m_, ref::buddy::zone_of_pfn(m_, *head));
      const auto& page = ref::buddy::page_at(m_, ref::buddy::page_index(zone, *head));
      in_use = page.kind == ref::buddy::PageKind::live_head;
      allowed = !(want.gfp & GFP_BIT_DMA) || zone.kind == ZoneKind::dma;
    }
    if (!in_use || !allowed || in_blocks(Address{byte}))
      return w_.break_rule("KMALLOC-INSIDE",
                           "pages that the allocator has, in a zone that the caller allows",
                           fmt::format("{:#x}", byte));
  }
  const auto meets = [&](const Memory& other) { return other.meets(at, usable); };
  if (std::ranges::any_of(w_.memory_, meets) || meets(w_.moving_))
    w_.break_rule("KMALLOC-DISJOINT", "memory that nobody has",
                  fmt::format("{} bytes at {:#x}", usable, at));
}

// Pages of somebody else, just got.
void Runner::judge_block(const Block& block) {
  const std::uint64_t bytes = std::uint64_t{m_.config.page_bytes} << block.order;
  const auto address = ref::buddy::page_address(m_, block.pfn);
  if (!address) return;
  const auto meets = [&](const Memory& other) { return other.meets(number(*address), bytes); };
  if (std::ranges::any_of(w_.memory_, meets) || meets(w_.moving_))
    w_.break_rule("KMALLOC-DISJOINT", "pages that nobody has", fmt::format("pfn {}", block.pfn));
}

void Runner::judge_zeros(const Want& want, const Memory& memory, std::uint64_t from,
                         std::uint64_t to) {
  if (w_.broken() || memory.nothing || from >= to) return;
  if (!want.zeros && !(want.gfp & GFP_BIT_ZERO)) return;
  const auto bytes = ref::slab::read_bytes(m_, Address{number(memory.address) + from}, to - from);
  const auto* const bad =
      std::ranges::find_if(bytes, [](std::byte b) { return b != std::byte{0}; }).base();
  if (bad == bytes.data() + bytes.size()) return;
  w_.break_rule("KMALLOC-ZEROED", fmt::format("zeros from byte {} to {}", from, to),
                fmt::format("{:#x} at byte {}", std::to_integer<unsigned>(*bad),
                            from + static_cast<std::uint64_t>(bad - bytes.data())));
}

// --- what krealloc must leave -------------------------------------------------------------------

void Runner::judge_kept(const Memory& old, const Memory& now) {
  if (w_.broken() || old.stamp == 0) return;
  const Broken w = slab::contents_broken(m_, now.ram, old.owned, old.stamp, w_.judging_.stamps,
                                         std::min(old.owned, now.size));
  if (!w) return;
  w_.break_rule("KMALLOC-MOVED", fmt::format("{:#x} at {}, as before", w->expected, w->where),
                fmt::format("{:#x}", w->actual));
}

void Runner::judge_unchanged(std::uint8_t reg, const Memory& old) {
  hold(reg, old);
  if (old.nothing) return;
  const Log log = m_.globals().log;
  const std::uint64_t usable = ref::kmalloc::ksize(m_, old.address);
  m_.edit_globals().log = log;
  const bool same = old.stamp == 0 ||
                    !slab::contents_broken(m_, old.ram, old.owned, old.stamp, w_.judging_.stamps);
  if (usable == old.usable && same) return;
  w_.break_rule("KMALLOC-FAILED",
                fmt::format("{} usable bytes with their contents, as before", old.usable),
                same ? fmt::format("{} usable bytes", usable) : "other contents");
}

}  // namespace props::kmalloc
