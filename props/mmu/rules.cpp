// The register of the mmu layer's rules.
#include "props/mmu/rules.hpp"

#include <array>

#include "props/buddy/world.hpp"

namespace props::mmu {
namespace {

constexpr auto R = Scope::reference;
constexpr auto walk = Cost::linear;

constexpr std::array table{
    Rule{"MMU-TABLES", "mmu",
         "Every page table is a page that the kernel owns, and no other one is.",
         "directory: frames below HIGHMEM, all different, each a live block of order 0 with one "
         "reference; pkmap and fixmap have theirs from boot on, or no table is there at all",
         "A page table that somebody else writes to maps whatever he wrote.",
         "arch/x86/mm/init_32.c, one_page_table_init()", walk, R},
    Rule{"MMU-ENTRIES", "mmu",
         "An entry of a page table is zero, or maps a frame where one may be.",
         "pte = 0 or its present bit set; pte = 0 outside of vmalloc, pkmap and fixmap",
         "An entry in a guard hole turns a stray access into a silent one.",
         "include/asm-i386/pgtable.h; ref/core/window.hpp", walk, R},
    Rule{"MMU-TLB", "mmu", "A CPU's list of cached translations names each of them, once.",
         "members of the list of a CPU = its entries that are not 0, linked both ways, counted",
         "A flush that walks the list forgets what is not on it.", "ref/mmu/machine.hpp", walk, R},
    Rule{"MMU-CANONICAL", "mmu", "A field of the tables of addresses without meaning holds zero.",
         "entries that cache nothing are zero; so is padding; without tables nothing is cached",
         "States that behave alike must be equal bytes.", "ref/mmu/machine.hpp", walk, R},
};

}  // namespace

std::span<const Rule> rules() { return table; }

const Rule* find_rule(std::string_view id) {
  const Rule* rule = props::find_rule(table, id);
  return rule ? rule : props::find_rule(buddy::rules(), id);
}

}  // namespace props::mmu
