// Prints what a machine of the reference can tell about itself.
#include "fuzz/engine/shows.hpp"

#include <fmt/format.h>

#include "fuzz/engine/window.hpp"
#include "props/core/machine_line.hpp"

namespace fuzz {
namespace {

using ref::buddy::Machine;

std::string zone_text(const Machine& m, ref::core::Index z) {
  const ref::buddy::Zone& zone = ref::buddy::zone_at(m, z);
  const ref::buddy::Pcp& pcp = ref::buddy::pcp_at(m, z, 0);
  std::string text = fmt::format("zone {}/{}: frames {} to {}, {} pages, {} managed, {} free\n",
                                 ref::core::zone_names[static_cast<std::size_t>(zone.kind)],
                                 zone.node, zone.first, std::uint64_t{zone.first} + zone.pages - 1,
                                 zone.pages, zone.managed, zone.free_pages);
  text += fmt::format("  watermarks      min {}, low {}, high {}\n",
                      zone.watermark[ref::buddy::mark_min], zone.watermark[ref::buddy::mark_low],
                      zone.watermark[ref::buddy::mark_high]);
  text += fmt::format("  lowmem_reserve  against requests up to DMA {}, NORMAL {}, HIGHMEM {}\n",
                      zone.lowmem_reserve[0], zone.lowmem_reserve[1], zone.lowmem_reserve[2]);
  if (m.config.pcp)
    text += fmt::format("  per-CPU lists   batch {}, high {}\n", pcp.batch, pcp.high[0]);
  return text;
}

std::string machine_text(const Machine& m) {
  const ref::core::Config& c = m.config;
  std::string text = fmt::format("machine {}\n", props::print_machine(c));
  text += fmt::format("{} pages of {} bytes ({} not HIGHMEM), {} nodes, {} CPUs, orders 0 to {}\n",
                      c.pages(), c.page_bytes, c.lowmem_pages(), c.nodes, c.cpus, c.orders - 1);
  text += fmt::format("min_free_kbytes {}{}\n", ref::core::min_free_kbytes_of(c),
                      c.min_free_kbytes ? "" : " (default)");
  const auto ratio = ref::core::lowmem_reserve_ratio_of(c);
  text += fmt::format("lowmem_reserve_ratio {},{}{}\n", ratio[0], ratio[1],
                      c.lowmem_reserve_ratio ? "" : " (default)");
  for (ref::core::Index z = 0; z < c.zone_count; ++z) text += zone_text(m, z);
  return text;
}

}  // namespace

std::string show_machine(const Machine& m, std::string_view what) {
  if (what == "buddyinfo") return ref::buddy::buddyinfo(m);
  if (what == "zoneinfo") return ref::buddy::zoneinfo(m);
  if (what == "window.svg") return window_svg({});
  if (what == "slabinfo" || what == "vmallocinfo" || what == "window") return {};
  return machine_text(m);
}

std::string show_machine(const ref::mmu::Machine& m, std::string_view what) {
  if (what == "window") return window_text(window_parts(m));
  if (what == "window.svg") return window_svg(window_parts(m));
  return show_machine(static_cast<const Machine&>(m), what);
}

std::string show_machine(const ref::slab::Machine& m, std::string_view what) {
  if (what == "slabinfo") return ref::slab::slabinfo(m);
  return show_machine(static_cast<const ref::mmu::Machine&>(m), what);
}

std::string show_machine(const ref::vmalloc::Machine& m, std::string_view what) {
  if (what == "vmallocinfo") return ref::vmalloc::vmallocinfo(m);
  if (what == "window") return window_text(window_parts(m));
  if (what == "window.svg") return window_svg(window_parts(m));
  return show_machine(static_cast<const ref::slab::Machine&>(m), what);
}

}  // namespace fuzz
