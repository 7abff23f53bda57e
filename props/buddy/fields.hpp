// fields: every byte of a machine's state of pages, and who would notice a flipped bit of it.
#pragma once
#include "props/buddy/invariants.hpp"
#include "props/buddy/world.hpp"
#include "props/core/fields.hpp"

namespace props::buddy {

// One bit of one record was flipped; `world` is what else is known, its machine already flipped.
struct Flip {
  const Machine& before;
  const World& world;
  std::uint64_t record;
  std::size_t byte;  // in the record
  const Machine& after() const { return world.machine(); }
};

using Field = FieldOf<Flip>;
using Record = RecordOf<Machine>;  // in the order of the arena; then what lies beside

std::span<const Record> records();
std::span<const Field> fields();  // by record, ascending, without gaps

// Both as Markdown: the text of FIELDS.md.
std::string fields_page();

}  // namespace props::buddy
