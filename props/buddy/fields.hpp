// fields: every byte of a machine's state, and who would notice that one of its bits was flipped.
//
//   page    0     next   prev   refcount  private_data  mapcount  flags  order  kind  zero     32
//                 checked by BUDDY-LISTED, ...                    free: PG_pfmemalloc of a live
//                 head
//
// A flipped bit of a *checked* field breaks one of the field's rules. A field is *free* where any
// value is a legal state: a cursor, a switch, what nobody has a second opinion of. `is_free` says
// so exactly, so a test can ask for both: what is not free is noticed, what is free is not.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "props/buddy/invariants.hpp"
#include "props/buddy/world.hpp"

namespace props::buddy {

// One bit of one record was flipped; `world` is what else is known, its machine already flipped.
struct Flip {
  const Machine& before;
  const World& world;
  std::uint64_t record;
  std::size_t byte;  // in the record
  const Machine& after() const { return world.machine(); }
};

struct Field {
  std::string_view record, name;
  std::size_t offset, bytes;
  std::string_view rules{};                // that notice a flip; some rule for each bit not free
  std::string_view free{};                 // when any value is legal, and why; "": never
  bool (*is_free)(const Flip&) = nullptr;  // the same, exactly
};

// The tables of a machine that fields belong to, in the order of the arena; then what lies beside.
struct Record {
  std::string_view name;
  std::string_view what;
  std::size_t bytes;
  std::uint64_t (*count)(const Machine&);
  std::byte* (*edit)(Machine&, std::uint64_t record);
  bool in_arena = true;
};

std::span<const Record> records();
std::span<const Field> fields();  // by record, ascending, without gaps

// Both as Markdown: the text of FIELDS.md.
std::string fields_page();

}  // namespace props::buddy
