// object_event: the fields of object events.
#include "props/linux/object_event.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace props::recorded {
namespace {

struct ObjectEventName {
  std::string_view name;
  ObjectEventKind kind;
};
// Kernels before 6.1 have events of their own for requests that name a node.
constexpr std::array object_event_names{
    ObjectEventName{"kmalloc", ObjectEventKind::kmalloc},
    ObjectEventName{"kfree", ObjectEventKind::free},
    ObjectEventName{"kmem_cache_alloc", ObjectEventKind::cache_alloc},
    ObjectEventName{"kmem_cache_free", ObjectEventKind::free},
    ObjectEventName{"kmalloc_node", ObjectEventKind::kmalloc},
    ObjectEventName{"kmem_cache_alloc_node", ObjectEventKind::cache_alloc},
};

}  // namespace

bool is_object_event(std::string_view name) {
  if (name.empty() || name.front() != 'k') return false;
  for (const ObjectEventName& known : object_event_names)
    if (known.name == name) return true;
  return false;
}

std::expected<ObjectEvent, LineError> read_object_event(const TraceLine& line) {
  ObjectEvent event;
  for (const ObjectEventName& known : object_event_names)
    if (known.name == line.name) event.kind = known.kind;
  const bool free = event.kind == ObjectEventKind::free;

  const auto address = pointer_field(line, "ptr");
  if (!address) return std::unexpected(address.error());
  event.address = address->value_or(0);
  if (free) {
    if (*address == 0u) event.kind = ObjectEventKind::free_nothing;
    return event;
  }
  const auto asked = number_field(line, "bytes_req", "bytes_req=NUMBER");
  if (!asked) return std::unexpected(asked.error());
  const auto got = number_field(line, "bytes_alloc", "bytes_alloc=NUMBER");
  if (!got) return std::unexpected(got.error());
  if (*address == 0u) {
    event.kind = ObjectEventKind::failed_alloc;
    return event;
  }
  if (*got > std::numeric_limits<std::uint64_t>::max() - event.address)
    return std::unexpected(
        field_error(line, "bytes_alloc",
                    fmt::format("{} bytes at {:#x} end beyond 64 bits", *got, event.address),
                    "an object whose end is a 64-bit address"));
  event.bytes_req = *asked;
  event.bytes_alloc = *got;
  return event;
}

}  // namespace props::recorded
