// objects: the map of known slots, and what each event does to it.
#include "props/linux/objects.hpp"

#include <bit>

#include "props/linux/rules.hpp"

namespace props::recorded {

void ObjectsJudge::feed(const ObjectEvent& event, std::uint64_t line,
                        std::vector<ObjectViolation>& violations) {
  if (event.kind == ObjectEventKind::failed_alloc || event.kind == ObjectEventKind::free_nothing)
    return;
  const bool hidden = event.address == 0;
  notes_.hidden += hidden ? 1 : 0;
  if (event.kind == ObjectEventKind::free) {
    if (!hidden) free(event.address);
    return;
  }
  const Object object{event.address, event.bytes_req, event.bytes_alloc, line};
  judge_size(object, event.kind == ObjectEventKind::kmalloc, violations);
  if (!hidden) place(object, violations);
}

// A slot that is too small is never the right class either; that is one fault.
void ObjectsJudge::judge_size(const Object& object, bool kmalloc,
                              std::vector<ObjectViolation>& violations) {
  const std::uint64_t bytes = object.bytes_alloc;
  const std::uint64_t fit = smallest_fit(object.bytes_req, classes_);
  const bool fits = may_take(bytes, fit, classes_);
  if (bytes < object.bytes_req) violations.push_back({&object_size_rule(), object, {}});
  else if (kmalloc && !fits) violations.push_back({&kmalloc_class_rule(), object, {}});
  // Of named caches nobody promises more alignment than their creator asked for, and a class that
  // is only padded to a power of two promises none.
  if (kmalloc && std::has_single_bit(fits ? fit : bytes) && (object.address & (bytes - 1)) != 0)
    violations.push_back({&object_aligned_rule(), object, {}});
}

void ObjectsJudge::place(const Object& object, std::vector<ObjectViolation>& violations) {
  const Slot slot{object.address, object.address + object.bytes_alloc, object.bytes_req,
                  object.line};
  if (slot.first == slot.end) return;
  bool collided = false;
  auto at = slots_.first_reaching(slot.first);
  while (!slots_.at_end(at) && slots_.at(at).first < slot.end) {
    Slot& old = slots_.at(at);
    const bool live = old.line != 0;
    const bool again = old.first == slot.first;
    notes_.handed_out_again += live && again ? 1 : 0;
    if (live && !again && !collided) {
      collided = true;
      violations.push_back({&object_overlap_rule(), object, old.object()});
    }
    if (again && old.end == slot.end) {  // what nearly always happens: the very same slot
      old = slot;
      return;
    }
    at = slots_.erase(at);
  }
  slots_.insert(at, slot);
}

void ObjectsJudge::free(std::uint64_t address) {
  const auto at = slots_.first_reaching(address);
  if (slots_.at_end(at) || slots_.at(at).first > address) {
    ++notes_.free_of_unknown;
    return;
  }
  Slot& slot = slots_.at(at);
  const bool live = slot.line != 0;
  if (slot.first == address) {
    notes_.free_of_free += live ? 0 : 1;
    slot.line = 0;
  } else if (live) ++notes_.free_inside;
  else ++notes_.free_of_unknown;
}

void ObjectsJudge::cover(std::uint64_t first, std::uint64_t end) {
  auto at = slots_.first_reaching(first);
  while (!slots_.at_end(at) && slots_.at(at).first < end) {
    notes_.gone_with_page += slots_.at(at).line != 0 ? 1 : 0;
    at = slots_.erase(at);
  }
}

}  // namespace props::recorded
