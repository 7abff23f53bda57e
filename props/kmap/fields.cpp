// The register of the kmap layer's fields.
#include "props/kmap/fields.hpp"

#include <algorithm>
#include <array>

namespace props::kmap {
namespace {

using namespace ref::kmap;

// --- when a flip is a legal state ---------------------------------------------------------------

const KmapGlobals& globals(const Machine& m) { return m.arena.at(m.kmap.globals, 0); }

bool some_slot(const Flip& f) {
  return globals(f.after).last_pkmap_nr < std::max<std::uint64_t>(f.after.kmap.count.count, 1);
}

// A task may be woken for nothing, and one that was woken may have found no slot, and sleep again.
bool woken_or_again(const Flip& f) {
  const Machine& m = f.after;
  const std::uint32_t again = globals(m).sleepers & ~globals(f.before).sleepers;
  for (std::uint32_t t = 0; t < 32; ++t)
    if ((again >> t & 1u) != 0 &&
        (t >= m.core.task.count || m.arena.at(m.core.task, t).wait.call != call_kmap))
      return false;
  for (std::uint64_t slot = 0; again != 0 && slot < m.kmap.count.count; ++slot)
    if (m.arena.at(m.kmap.count, slot) < 2) return false;
  return true;
}

// How many callers a slot has they know, and nobody else.
bool some_users(const Flip& f) {
  const std::uint32_t before = f.before.arena.at(f.before.kmap.count, f.record);
  const std::uint32_t after = f.after.arena.at(f.after.kmap.count, f.record);
  return before > 0 && after > 0 && (after > 1 || globals(f.after).sleepers == 0);
}

// Of a task that does not run, another page or another CPU can have been mapped.
const LocalMaps& local(const Flip& f) { return f.after.arena.at(f.after.kmap.local, f.record); }
bool is_saved(const Flip& f) { return local(f).idx > 0 && !first_broken(f.after).has_value(); }

// --- the tables ---------------------------------------------------------------------------------

template <auto table>
std::uint64_t count_of(const Machine& m) {
  return (m.kmap.*table).count;
}
template <auto table>
std::byte* edit_of(Machine& m, std::uint64_t i) {
  return reinterpret_cast<std::byte*>(&m.arena.edit(m.kmap.*table, i));
}

constexpr std::array all_records{
    Record{"globals", "of the machine", sizeof(KmapGlobals), count_of<&State::globals>,
           edit_of<&State::globals>},
    Record{"count", "of a slot", sizeof(std::uint32_t), count_of<&State::count>,
           edit_of<&State::count>},
    Record{"page_address", "which page has which address", sizeof(PageAddress),
           count_of<&State::page_address>, edit_of<&State::page_address>},
    Record{"bucket", "of the hash", sizeof(Chain), count_of<&State::bucket>,
           edit_of<&State::bucket>},
    Record{"local", "temporary maps of a task", sizeof(LocalMaps), count_of<&State::local>,
           edit_of<&State::local>},
};

#define IN(Type, member) #member, offsetof(Type, member), sizeof(Type::member)

constexpr std::array all_fields{
    Field{"globals", IN(KmapGlobals, last_pkmap_nr), "KMAP-QUEUE",
          "any slot: the search can have stopped there", some_slot},
    Field{"globals", IN(KmapGlobals, sleepers), "KMAP-QUEUE",
          "a task may be woken for nothing, and sleep again where no slot is free", woken_or_again},
    Field{"globals", IN(KmapGlobals, pool), "KMAP-HASHED"},

    Field{"count", "users", 0, 4, "KMAP-BIJECTION KMAP-QUEUE",
          "any number of users of a slot that is mapped", some_users},

    Field{"page_address", IN(PageAddress, page), "KMAP-HASHED KMAP-BIJECTION"},
    Field{"page_address", IN(PageAddress, address), "KMAP-HASHED KMAP-BIJECTION"},
    Field{"page_address", IN(PageAddress, next), "KMAP-HASHED"},
    Field{"page_address", IN(PageAddress, prev), "KMAP-HASHED"},

    Field{"bucket", IN(Chain, head), "KMAP-HASHED"},
    Field{"bucket", IN(Chain, tail), "KMAP-HASHED"},

    Field{"local", IN(LocalMaps, pteval), "ATOMIC-SAVED ATOMIC-SLOTS KMAP-CANONICAL",
          "of a task that does not run: another page of HIGHMEM", is_saved},
    Field{"local", IN(LocalMaps, idx), "ATOMIC-SAVED ATOMIC-SLOTS KMAP-CANONICAL"},
    Field{"local", IN(LocalMaps, migration_disabled), "ATOMIC-SAVED KMAP-CANONICAL"},
    Field{"local", IN(LocalMaps, cpu), "ATOMIC-SAVED KMAP-CANONICAL",
          "of a task that does not run: another CPU", is_saved},
    Field{"local", IN(LocalMaps, zero), "KMAP-CANONICAL"},
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
    "Every byte of every record of the kmap layer, and the rules that notice when one of its bits\n"
    "is flipped, or the reason why any value is a legal state; `props/mmu/FIELDS.md` and\n"
    "`props/buddy/FIELDS.md` have the tables below. Generated from `fields.cpp`; the test\n"
    "`KmapFields.the_page_is_what_the_register_says` compares, and tells how to renew it.\n"
    "`KmapFields.a_flipped_bit_is_noticed_unless_it_is_free` flips them.\n";

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

}  // namespace props::kmap
