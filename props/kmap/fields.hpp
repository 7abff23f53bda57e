// fields: every byte of the kmap layer's state, and who would notice a flipped bit of it.
//
//   globals  16    last_pkmap_nr  sleepers  pool                           16
//                  free: a slot   KMAP-QUEUE
//
// A flipped bit of a *checked* field breaks one of the field's rules. A field is *free* where any
// value is a legal state. `is_free` says so exactly, so a test can ask for both: what is not free
// is noticed, what is free is not. The tables of the rows below have registers of their own.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "props/kmap/invariants.hpp"

namespace props::kmap {

// One bit of one record was flipped.
struct Flip {
  const Machine& before;
  const Machine& after;
  std::uint64_t record;
  std::size_t byte;  // in the record
};

struct Field {
  std::string_view record, name;
  std::size_t offset, bytes;
  std::string_view rules{};                // that notice a flip; some rule for each bit not free
  std::string_view free{};                 // when any value is legal, and why; "": never
  bool (*is_free)(const Flip&) = nullptr;  // the same, exactly
};

// The tables of this layer, in the order of the arena.
struct Record {
  std::string_view name;
  std::string_view what;
  std::size_t bytes;
  std::uint64_t (*count)(const Machine&);
  std::byte* (*edit)(Machine&, std::uint64_t record);
};

std::span<const Record> records();
std::span<const Field> fields();  // by record, ascending, without gaps

// Both as Markdown: the text of FIELDS.md.
std::string fields_page();

}  // namespace props::kmap
