// fields: every byte of a row's state, and who would notice that one of its bits was flipped.
//
//   page    0     next   prev   refcount  private_data  mapcount  flags  order  kind  zero     32
//                 checked by BUDDY-LISTED, ...                    free: PG_pfmemalloc of a live
//                 head
//
// A flipped bit of a *checked* field breaks one of the field's rules. A field is *free* where any
// value is a legal state: a cursor, a switch, what nobody has a second opinion of. `is_free` says
// so exactly, so a test can ask for both: what is not free is noticed, what is free is not.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace props {

// A Flip says what was flipped, and knows the machine before and after.
template <class Flip>
struct FieldOf {
  std::string_view record, name;
  std::size_t offset, bytes;
  std::string_view rules{};                // that notice a flip; some rule for each bit not free
  std::string_view free{};                 // when any value is legal, and why; "": never
  bool (*is_free)(const Flip&) = nullptr;  // the same, exactly
};

// A table that fields belong to.
template <class Machine>
struct RecordOf {
  std::string_view name;
  std::string_view what;
  std::size_t bytes;
  std::uint64_t (*count)(const Machine&);
  std::byte* (*edit)(Machine&, std::uint64_t record);
  bool in_arena = true;
};

// Whether each byte of each record belongs to exactly one field, and each field is checked, or
// free, and says when.
constexpr bool fields_are_complete(const auto& records, const auto& fields) {
  for (const auto& r : records) {
    std::size_t next = 0;
    for (const auto& f : fields) {
      if (f.record != r.name) continue;
      if (f.offset != next || f.bytes == 0) return false;
      next += f.bytes;
    }
    if (next != r.bytes) return false;
  }
  return std::ranges::all_of(fields, [&](const auto& f) {
    const auto named = [&](const auto& r) { return r.name == f.record; };
    return f.free.empty() == (f.is_free == nullptr) && !(f.rules.empty() && f.free.empty()) &&
           std::ranges::count_if(records, named) == 1;
  });
}

// The introduction, then both as Markdown: the text of a row's FIELDS.md.
std::string fields_page(std::string_view introduction, const auto& records, const auto& fields) {
  std::string text(introduction);
  for (const auto& r : records) {
    text += "\n## `" + std::string(r.name) + "`: " + std::string(r.what) + "\n\n";
    text += "| field | bytes | noticed by | free |\n|---|---|---|---|\n";
    for (const auto& f : fields) {
      if (f.record != r.name) continue;
      text += "| `" + std::string(f.name) + "` | " + std::to_string(f.bytes) + " | " +
              std::string(f.rules) + " | " + std::string(f.free) + " |\n";
    }
  }
  return text;
}

}  // namespace props
