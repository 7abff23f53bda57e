// The register of the mmu layer's fields.
#include "props/mmu/fields.hpp"

#include <algorithm>
#include <array>

namespace props::mmu {
namespace {

using namespace ref::mmu;

// --- when a flip is a legal state ---------------------------------------------------------------

// What a CPU has cached is stale until somebody flushes it: which frame it was, the row that forgot
// the flush is asked.
bool still_cached(const Flip& f) {
  const Pte before = f.before.arena.at(f.before.mmu.entry, f.record).pte;
  const Pte after = f.after.arena.at(f.after.mmu.entry, f.record).pte;
  return (before & 1u) != 0 && (after & 1u) != 0;
}

// Another page that is the kernel's own, as far as its record tells, and holds what a table may.
bool another_table(const Flip& f) { return !first_broken(f.after).has_value(); }

// --- the tables ---------------------------------------------------------------------------------

template <auto table>
std::uint64_t count_of(const Machine& m) {
  return (m.mmu.*table).count;
}
template <auto table>
std::byte* edit_of(Machine& m, std::uint64_t i) {
  return reinterpret_cast<std::byte*>(&m.arena.edit(m.mmu.*table, i));
}

constexpr std::array all_records{
    Record{"directory", "of the window, by page table", sizeof(Index), count_of<&State::directory>,
           edit_of<&State::directory>},
    Record{"tlb", "of a CPU", sizeof(Tlb), count_of<&State::tlb>, edit_of<&State::tlb>},
    Record{"entry", "of a TLB, by page of the window", sizeof(TlbEntry), count_of<&State::entry>,
           edit_of<&State::entry>},
};

#define IN(Type, member) #member, offsetof(Type, member), sizeof(Type::member)

constexpr std::array all_fields{
    Field{"directory", "table", 0, 4, "MMU-TABLES MMU-ENTRIES",
          "the frame of another page of the kernel that could be one", another_table},

    Field{"tlb", IN(Tlb, first), "MMU-TLB"},
    Field{"tlb", IN(Tlb, count), "MMU-TLB"},

    Field{"entry", IN(TlbEntry, pte), "MMU-TLB",
          "what is cached may be stale: any frame, as long as it is present", still_cached},
    Field{"entry", IN(TlbEntry, next), "MMU-TLB MMU-CANONICAL"},
    Field{"entry", IN(TlbEntry, prev), "MMU-TLB MMU-CANONICAL"},
    Field{"entry", IN(TlbEntry, zero), "MMU-CANONICAL"},
};

#undef IN

// Each byte of a record belongs to exactly one field; a field is checked, or free, or says when.
constexpr bool every_byte_once(const Record& record) {
  std::size_t next = 0;
  for (const Field& f : all_fields) {
    if (f.record != record.name) continue;
    if (f.offset != next || f.bytes == 0) return false;
    next += f.bytes;
  }
  return next == record.bytes;
}
static_assert(std::ranges::all_of(all_records, every_byte_once));
static_assert(std::ranges::all_of(all_fields, [](const Field& f) {
  return f.free.empty() == (f.is_free == nullptr) && !(f.rules.empty() && f.free.empty()) &&
         std::ranges::count(all_records, f.record, &Record::name) == 1;
}));

constexpr std::string_view introduction =
    "# Which bit of a machine's state would be missed?\n"
    "\n"
    "Every byte of every record of the mmu layer, and the rules that notice when one of its bits\n"
    "is flipped, or the reason why any value is a legal state; `props/buddy/FIELDS.md` has the\n"
    "tables below. Generated from `fields.cpp`; the test\n"
    "`MmuFields.the_page_is_what_the_register_says` compares, and tells how to renew it.\n"
    "`MmuFields.a_flipped_bit_is_noticed_unless_it_is_free` flips them.\n";

}  // namespace

std::span<const Record> records() { return all_records; }

std::span<const Field> fields() { return all_fields; }

std::string fields_page() {
  std::string text(introduction);
  for (const Record& r : all_records) {
    text += "\n## `" + std::string(r.name) + "`: " + std::string(r.what) + "\n\n";
    text += "| field | bytes | noticed by | free |\n|---|---|---|---|\n";
    for (const Field& f : all_fields) {
      if (f.record != r.name) continue;
      text += "| `" + std::string(f.name) + "` | " + std::to_string(f.bytes) + " | " +
              std::string(f.rules) + " | " + std::string(f.free) + " |\n";
    }
  }
  return text;
}

}  // namespace props::mmu
