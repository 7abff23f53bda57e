// violation: the sentences.
#include "props/linux/violation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/linux/rules.hpp"

namespace props::recorded {
namespace {

std::string shown(std::string_view event) {
  constexpr std::size_t bytes_most = 200;
  event.remove_prefix(std::min(event.find_first_not_of(" \t"), event.size()));
  return std::string(event.substr(0, bytes_most));
}

// A place that the recording hides has no name; the line says which object is meant.
std::string name_of(const Object& object) {
  std::string name = object.address == 0 ? "object" : fmt::format("object {:#x}", object.address);
  return name + fmt::format(" of {} bytes for {}", object.bytes_alloc, object.bytes_req);
}

}  // namespace

Violation told(const PageViolation& found, std::string_view event) {
  const Block& block = found.block;
  const std::uint64_t pages = 1ull << block.order;
  Violation violation{found.rule, block.line, {}, found, shown(event), {}, {}};
  violation.text = fmt::format("line {}: pfn {:#x} order {} ", block.line, block.pfn, block.order);
  if (found.holder) {
    const Block& holder = *found.holder;
    violation.collides_with_line = holder.line;
    violation.text += fmt::format(
        "collides with the block of line {}: pfn {:#x} order {}, still "
        "live",
        holder.line, holder.pfn, holder.order);
    violation.expected = fmt::format("no page of it live; a free since line {}", holder.line);
  } else {
    violation.text +=
        fmt::format("is not aligned: the frame number leaves {:#x} when divided by {:#x}",
                    block.pfn & (pages - 1), pages);
    violation.expected = fmt::format("a frame number divisible by {:#x}", pages);
  }
  return violation;
}

Violation told(const ObjectViolation& found, Classes classes, std::string_view event) {
  const Object& object = found.object;
  Violation violation{found.rule, object.line, {}, found, shown(event), {}, {}};
  violation.text = fmt::format("line {}: {} ", object.line, name_of(object));
  if (found.rule == &object_overlap_rule()) {
    const Object& holder = *found.holder;
    violation.collides_with_line = holder.line;
    violation.text +=
        fmt::format("overlaps the {} of line {}, still live", name_of(holder), holder.line);
    violation.expected = fmt::format("no byte of it live; a free since line {}", holder.line);
  } else if (found.rule == &object_size_rule()) {
    violation.text += "is smaller than asked";
    violation.expected = fmt::format("at least {} bytes", object.bytes_req);
  } else if (found.rule == &kmalloc_class_rule()) {
    violation.text += "is not of the smallest class that fits";
    const std::uint64_t fit = smallest_fit(object.bytes_req, classes);
    violation.expected = fit == 0
                             ? "a refusal: nothing is so large"
                             : fmt::format("{} bytes, by the classes of {}", fit, name_of(classes));
  } else {
    violation.text += fmt::format("is not aligned: the address leaves {} when divided by {}",
                                  object.address & (object.bytes_alloc - 1), object.bytes_alloc);
    violation.expected = fmt::format("an address divisible by {}", object.bytes_alloc);
  }
  return violation;
}

}  // namespace props::recorded
