// objects: judges the events of objects of a kernel that was running before the recording began.
//
//   address  ...720        ...780        ...7e0
//              [live, line 9  ][freed       ][  unknown  ...
//
// Frees in bulk, and many deferred ones, are not traced. So an object is taken as gone when it is
// freed, when its very address is handed out again, or when a page event covers its page. What is
// left must not overlap: a slot that begins inside a live one, or reaches into it, has two owners.
// An address in no interval is unknown.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "props/core/rule.hpp"
#include "props/linux/intervals.hpp"
#include "props/linux/kmalloc_classes.hpp"
#include "props/linux/object_event.hpp"

namespace props::recorded {

// An object as its event announced it.
struct Object {
  std::uint64_t address = 0;  // zero where the recording hides it
  std::uint64_t bytes_req = 0;
  std::uint64_t bytes_alloc = 0;
  std::uint64_t line = 0;  // of the event that allocated it
  bool operator==(const Object&) const = default;
};

struct ObjectViolation {
  const Rule* rule = nullptr;
  Object object;
  std::optional<Object> holder;  // the live object it overlaps
  bool operator==(const ObjectViolation&) const = default;
};

// Legal, and worth counting: how much of the recording could be judged. One event adds to each kind
// at most once, except to `gone_with_page`, which counts objects.
struct ObjectNotes {
  std::uint64_t handed_out_again = 0;  // the very address of a live object
  std::uint64_t gone_with_page = 0;    // live objects whose page was freed or handed out
  std::uint64_t free_of_unknown = 0;   // allocated before the recording, in bulk, or behind a loss
  std::uint64_t free_of_free = 0;      // allocated again by a path that is not traced (bulk)
  std::uint64_t free_inside = 0;       // of an address inside a live object
  std::uint64_t hidden = 0;            // events with hashed pointers: no place to judge
  bool operator==(const ObjectNotes&) const = default;
};

class ObjectsJudge {
 public:
  explicit ObjectsJudge(Classes classes) : classes_(classes) {}

  // Adds what is wrong with the event to `violations`. A slot that was wrongly handed out is live
  // from then on and what it overlapped is unknown: one fault, one report.
  void feed(const ObjectEvent& event, std::uint64_t line, std::vector<ObjectViolation>& violations);

  // A page event covers the addresses [first, end).
  void cover(std::uint64_t first, std::uint64_t end);

  // Events were lost, or page events could not be placed until now: nothing is known any more.
  void forget() { slots_.clear(); }

  const ObjectNotes& notes() const { return notes_; }
  // How many intervals are known; what the memory of the judge is proportional to.
  std::size_t slots() const { return slots_.size(); }

 private:
  struct Slot {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::uint64_t bytes_req = 0;
    std::uint64_t line = 0;  // zero when free
    Object object() const { return {first, bytes_req, end - first, line}; }
  };

  void judge_size(const Object& object, bool kmalloc, std::vector<ObjectViolation>& violations);
  void place(const Object& object, std::vector<ObjectViolation>& violations);
  void free(std::uint64_t address);

  Classes classes_;
  Intervals<Slot> slots_;
  ObjectNotes notes_;
};

}  // namespace props::recorded
