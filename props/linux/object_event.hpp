// object_event: reads the events of kmalloc, of named caches, and of their frees.
//
//   kmalloc: call_site=... ptr=ffff888164355720 bytes_req=72 bytes_alloc=96 gfp_flags=...
//   kfree: call_site=... ptr=ffff888164355720
//
// An address means something only in a recording made with raw pointers; a hashed one is read as
// hidden, and what can be said without it (sizes, classes) is still said.
#pragma once
#include <cstdint>
#include <expected>
#include <string_view>

#include "props/linux/event.hpp"

namespace props::recorded {

// `failed_alloc` and `free_nothing` carry a null pointer, or the one that stands for no bytes.
enum class ObjectEventKind : std::uint8_t {
  kmalloc,
  cache_alloc,
  failed_alloc,
  free,
  free_nothing
};

struct ObjectEvent {
  ObjectEventKind kind = ObjectEventKind::kmalloc;
  std::uint64_t address = 0;      // zero where the recording hides it
  std::uint64_t bytes_req = 0;    // zero for a free, as the next
  std::uint64_t bytes_alloc = 0;  // the size of the slot, or of the pages
};

bool is_object_event(std::string_view name);

// Precondition: is_object_event(line.name).
std::expected<ObjectEvent, LineError> read_object_event(const TraceLine& line);

}  // namespace props::recorded
