// fields: every byte of the slab layer's state, and who would notice a flipped bit of it.
// The tables of the page allocator below have a register of their own.
#pragma once
#include "props/core/fields.hpp"
#include "props/slab/invariants.hpp"

namespace props::slab {

// One bit of one record was flipped.
struct Flip {
  const Machine& before;
  const Machine& after;
  std::uint64_t record;
  std::size_t byte;  // in the record
};

using Field = FieldOf<Flip>;
using Record = RecordOf<Machine>;  // in the order of the arena

std::span<const Record> records();
std::span<const Field> fields();  // by record, ascending, without gaps

// Both as Markdown: the text of FIELDS.md.
std::string fields_page();

}  // namespace props::slab
