// Draws arguments that are worth a step in the state that the world is in.
#include "props/vmalloc/generator_arguments.hpp"

#include <algorithm>

namespace props::vmalloc {

using namespace ref::core;

bool would_skip(const World& w, const World::Operation& any) {
  return std::visit(
      [&](const auto& op) {
        using Op = std::remove_cvref_t<decltype(op)>;
        if constexpr (requires { op.out; }) {
          if constexpr (std::is_same_v<Op, AllocPages>) return w.blocks()[op.out.value].live;
          else return w.areas()[op.out.value].taken();
        } else if constexpr (is_one_of<Op>(VfreeStale{})) {
          return w.areas()[op.area.value].state != Area::State::stale &&
                 w.areas()[op.area.value].state != Area::State::deferred;
        } else if constexpr (is_one_of<Op>(VunmapStale{}, LoadStale{})) {
          return w.areas()[op.area.value].state != Area::State::stale;
        } else if constexpr (is_one_of<Op>(Prefetch{})) {
          return w.areas()[op.area.value].first == 0;
        } else if constexpr (is_one_of<Op>(UnmapRam{})) {
          const Area& a = w.areas()[op.area.value];
          return !a.live() || a.kind != AreaKind::ram;
        } else if constexpr (is_one_of<Op>(Vfree{}, VfreeAtomic{}, Vunmap{}, Iounmap{},
                                           FreeVmArea{}, RemoveVmArea{}, Kvfree{})) {
          const Area& a = w.areas()[op.area.value];
          const bool by_kvfree = std::is_same_v<Op, Kvfree>;
          return !a.live() || a.kind == AreaKind::ram ||
                 (a.kind == AreaKind::kmalloc && !by_kvfree);
        } else if constexpr (requires { op.area; }) {
          return !w.areas()[op.area.value].live();
        } else if constexpr (requires { op.page.value; }) {
          return !w.blocks()[op.page.value].live;
        }
        return false;
      },
      any);
}

void Arguments::set(std::string_view key, AreaRegister& field) {
  if (key.empty())
    field.value = pick<AreaRegister::count>(registers_,
                                            [&](std::size_t r) { return !w_.areas()[r].taken(); });
  else field.value = area(Area::State::live);
}

void Arguments::set(std::string_view key, PageRegister& field) {
  field.value = pick<PageRegister::count>(
      16, [&](std::size_t r) { return w_.blocks()[r].live != key.empty(); });
}

std::uint64_t Arguments::number(std::string_view key, std::uint64_t max) {
  const Config& c = w_.machine().config;
  if (key == "size") return size();
  if (key == "phys") return phys();
  if (key == "order") return r_.chance(3) ? r_.below(4) : 0;
  if (key == "offset") return offset();
  if (key == "address" && r_.chance(8)) return 0;
  if (key == "address") return r_.chance(2) ? w_.ranges().window().first + offset() : r_.next();
  if (key == "count") return r_.chance(8) ? r_.below(max + 1) : 1 + r_.below(12);
  if (key == "hole") return 0;
  if (key == "page") return r_.below(r_.chance(2) ? 4 : 20);
  // Any number, or a few pages behind one that a shift or a sum could lose.
  if (key == "pgoff") {
    if (r_.chance(16)) return r_.next() >> r_.below(64);
    return (r_.chance(4) ? std::uint64_t{1} << r_.below(64) : 0) + r_.below(6);
  }
  if (key == "nth") return r_.below(12);
  if (key == "node") return r_.below(c.nodes);
  if (key == "cpu") return r_.below(c.cpus);
  if (key == "id") return r_.below(4);
  return r_.below(std::min<std::uint64_t>(max, 1000) + 1);
}

// Pages that are few, what the run prefers, all that is left; nothing, or more than any number.
std::uint64_t Arguments::size() {
  const std::uint64_t page = w_.machine().config.page_bytes;
  const Range& window = w_.ranges().window();
  const std::uint64_t whole = window.end - window.first;
  const auto about = [&](std::uint64_t bytes) {
    return bytes - (r_.chance(3) ? r_.below(page) : 0);
  };
  if (misuse_ && r_.chance(2)) {
    const std::array odd{std::uint64_t{0},
                         UINT64_MAX,
                         UINT64_MAX - page + 1,
                         UINT64_MAX - page,
                         std::uint64_t{1} << 32,
                         (std::uint64_t{1} << 32) - page,
                         whole + 1,
                         whole,
                         w_.machine().config.pages() * page + 1,
                         r_.next()};
    return odd[r_.below(odd.size())];
  }
  if (pages_ != 0 && !r_.chance(3)) return about(pages_ * page);
  switch (r_.below(12)) {
    case 0: return about(whole - page * r_.below(4));
    case 1:
    case 2: return about(page * (1 + r_.below(whole / page)));
    case 3: {  // a hole, and a page more or less
      std::uint64_t hole = window.first, bytes = 0;
      const auto& taken = w_.ranges().taken();
      const std::size_t nth = r_.below(taken.size() + 1);
      for (std::size_t i = 0; i <= nth; ++i) {
        bytes = (i < taken.size() ? taken[i].first : window.end) - hole;
        if (i < taken.size()) hole = taken[i].end;
      }
      return bytes > page ? bytes - page * r_.below(3) : page;
    }
    default: return about(page * (1 + r_.below(r_.chance(2) ? 4 : 12)));
  }
}

// Behind RAM mostly; in it now and then, and across its end.
std::uint64_t Arguments::phys() {
  const Config& c = w_.machine().config;
  const ZoneSpec& last = c.zones[c.zone_count - 1];
  const std::uint64_t end = (std::uint64_t{last.first} + last.pages) * c.page_bytes;
  if (misuse_) return r_.chance(2) ? r_.below(end) : r_.chance(2) ? r_.next() : end - r_.below(64);
  if (r_.chance(6)) return 0xa0000 + r_.below(0x60000);
  return end + r_.below(64) * c.page_bytes + (r_.chance(2) ? r_.below(c.page_bytes) : 0);
}

std::uint64_t Arguments::offset() {
  const std::uint64_t page = w_.machine().config.page_bytes;
  const std::uint64_t most = (1u << 24) - 1;
  return std::min(most,
                  r_.below(r_.chance(2) ? 6 : 40) * page + (r_.chance(2) ? 0 : r_.below(page)));
}

Gfp Arguments::gfp() {
  const EraId era = w_.machine().config.era;
  const auto e = static_cast<std::size_t>(era);
  const auto names = gfp_names();
  const GfpName& name = names[r_.below(names.size())];
  Gfp mask = gfp_of(era, "GFP_KERNEL");
  if (r_.chance(4)) mask = gfp_of(era, "GFP_ATOMIC");
  if (r_.chance(3) && name.known[e]) mask |= name.mask[e];
  // Most callers can cope with a refusal; else every run would soon wait.
  if ((mask & GFP_BIT_DIRECT_RECLAIM) && !r_.chance(4)) mask |= GFP_BIT_NORETRY;
  if (w_.waiting() >= task_count / 2)
    mask = (mask | GFP_BIT_NORETRY) & ~Gfp{GFP_BIT_NOFAIL | GFP_BIT_RETRY_MAYFAIL};
  if (!r_.chance(4)) mask |= GFP_BIT_HIGHMEM;
  if (!r_.chance(16)) mask &= ~Gfp{GFP_BIT_NOFAIL | GFP_BIT_DMA | GFP_BIT_DMA32 | GFP_BIT_COMP};
  return mask & gfp_known(era);
}

// The pages of an area and one behind; of what is gone now and then.
void Arguments::settle(Prefetch& op) {
  if (r_.chance(4)) op.area.value = area(Area::State::stale);
  const Area& a = w_.areas()[op.area.value];
  const std::uint64_t pages = (a.bytes + a.guard) / w_.machine().config.page_bytes;
  if (pages > 0 && !r_.chance(8)) op.page.value = std::min<std::uint64_t>(r_.below(pages + 1), 255);
}

void Arguments::settle(VfreeStale& op) {
  op.area.value = area(r_.chance(2) ? Area::State::deferred : Area::State::stale);
}

void Arguments::settle(Vmap& op) {
  if (r_.chance(misuse_ ? 2 : 40)) op.hole.value = 1 + r_.below(op.count.value + 1);
}

void Arguments::settle(UnmapRam& op) {
  op.area.value = pick<AreaRegister::count>(registers_, [&](std::size_t r) {
    return w_.areas()[r].live() && w_.areas()[r].kind == AreaKind::ram;
  });
}

void Arguments::settle(VmapPutPages& op) { op.first.value = 0; }

void Arguments::settle(VfreeInside& op) {
  const std::uint64_t page = w_.machine().config.page_bytes;
  if (!r_.chance(3)) op.offset.value = op.offset.value / page * page;
}

void Arguments::settle(RemapRange& op) {
  for (std::size_t r = 0; r < registers_ && !r_.chance(4); ++r)
    if (w_.areas()[r].live() && (w_.areas()[r].flags & ref::vmalloc::VM_USERMAP))
      op.area.value = static_cast<std::uint8_t>(r);
}

// What owns pages goes with vfree, or they are lost: now and then they are.
void Arguments::settle(Vfree& op) {
  if (r_.chance(3)) return;
  op.area.value = pick<AreaRegister::count>(
      registers_, [&](std::size_t r) { return w_.areas()[r].live() && w_.areas()[r].owns_pages; });
}

void Arguments::settle(Vunmap& op) {
  if (r_.chance(8)) return;
  op.area.value = pick<AreaRegister::count>(
      registers_, [&](std::size_t r) { return w_.areas()[r].live() && !w_.areas()[r].owns_pages; });
}

}  // namespace props::vmalloc
