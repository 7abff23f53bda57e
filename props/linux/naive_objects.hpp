// naive_objects: the judge of object events restated over the history alone; for tests.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "props/linux/objects.hpp"
#include "props/linux/rules.hpp"

namespace props::recorded {

// Keeps every event and no map: whether an object is live is asked of all that came after it.
class NaiveObjects {
 public:
  explicit NaiveObjects(Classes classes) : classes_(classes) {}

  void feed(const ObjectEvent& event, std::uint64_t line,
            std::vector<ObjectViolation>& violations) {
    using Kind = ObjectEventKind;
    if (event.kind == Kind::failed_alloc || event.kind == Kind::free_nothing) return;
    if (event.address == 0) ++notes.hidden;
    const Object object{event.address, event.bytes_req, event.bytes_alloc, line};
    if (event.kind == Kind::free) {
      if (event.address != 0) free(object);
      return;
    }
    judge_size(object, event.kind == Kind::kmalloc, violations);
    if (event.address == 0 || event.bytes_alloc == 0) return;
    std::optional<Object> holder;
    for (const Past& past : history_) {
      if (!meets(past.object, object) || state(past) != State::live) continue;
      if (past.object.address == object.address) ++notes.handed_out_again;
      else if (!holder || past.object.address < holder->address) holder = past.object;
    }
    if (holder) violations.push_back({&object_overlap_rule(), object, holder});
    history_.push_back({What::alloc, object});
  }

  void cover(std::uint64_t first, std::uint64_t end) {
    const Object page{first, 0, end - first, 0};
    for (const Past& past : history_)
      if (meets(past.object, page) && state(past) == State::live) ++notes.gone_with_page;
    history_.push_back({What::page, page});
  }
  void forget() { history_.clear(); }
  ObjectNotes notes;

 private:
  enum class What { alloc, free, page };
  enum class State { none, live, freed };
  struct Past {
    What what;
    Object object;
  };

  static bool meets(const Object& a, const Object& b) {
    return a.address < b.address + b.bytes_alloc && b.address < a.address + a.bytes_alloc;
  }

  // What became of an allocation by now; anything else that is past is nothing.
  State state(const Past& past) const {
    if (past.what != What::alloc) return State::none;
    State now = State::live;
    for (const Past* later = &past + 1; later != history_.data() + history_.size(); ++later) {
      if (later->what == What::free) {
        if (later->object.address == past.object.address) now = State::freed;
      } else if (meets(later->object, past.object)) return State::none;
    }
    return now;
  }

  void judge_size(const Object& object, bool kmalloc, std::vector<ObjectViolation>& violations) {
    std::uint64_t fit = 8192;  // doubled until it fits, and then every smaller class is tried
    while (fit < object.bytes_req) fit *= 2;
    for (const std::uint64_t size : sizes_of(classes_))
      if (size >= object.bytes_req) fit = std::min(fit, size);
    if (object.bytes_alloc < object.bytes_req)
      violations.push_back({&object_size_rule(), object, {}});
    else if (kmalloc && object.bytes_alloc != fit && !padded(object))
      violations.push_back({&kmalloc_class_rule(), object, {}});
    bool power = false;
    for (unsigned bit = 0; bit < 64; ++bit) power = power || object.bytes_alloc == 1ull << bit;
    if (kmalloc && power && !padded(object) && object.address % object.bytes_alloc != 0)
      violations.push_back({&object_aligned_rule(), object, {}});
  }

  // SLAB's class of 96 bytes, drawn out to two cache lines.
  bool padded(const Object& object) const {
    return classes_ == Classes::slab && object.bytes_alloc == 128 && object.bytes_req > 64 &&
           object.bytes_req <= 96;
  }

  void free(const Object& freed) {
    bool live = false, again = false, inside = false;
    for (const Past& past : history_) {
      const State now = state(past);
      const bool same = past.object.address == freed.address;
      live = live || (now == State::live && same);
      again = again || (now == State::freed && same);
      const std::uint64_t offset = freed.address - past.object.address;
      inside = inside || (now == State::live && !same && offset < past.object.bytes_alloc);
    }
    notes.free_of_free += again;
    notes.free_inside += inside;
    notes.free_of_unknown += !live && !again && !inside;
    history_.push_back({What::free, freed});
  }

  Classes classes_;
  std::vector<Past> history_;
};

}  // namespace props::recorded
