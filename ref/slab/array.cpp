// Implements what happens to several entries of an array at once.
#include "ref/slab/array.hpp"

#include <algorithm>

namespace ref::slab {

void take_oldest(Machine& m, const ArrayRef& a, std::uint32_t count, Taken& taken) {
  const std::uint32_t avail = array_at(m, a).avail;
  REQUIRE(count <= avail);
  const std::uint64_t first = a.index * a.room;
  for (std::uint32_t i = 0; i < count; ++i) taken.object[i] = m.arena.at(a.entries, first + i);
  taken.count = count;
  for (std::uint32_t i = 0; i < avail; ++i)
    m.arena.edit(a.entries, first + i) =
        i + count < avail ? m.arena.at(a.entries, first + i + count) : 0;
  if (count > 0) edit_array(m, a).avail = avail - count;
}

std::uint32_t transfer(Machine& m, const ArrayRef& to, const ArrayRef& from, std::uint32_t max) {
  ArrayCache &t = edit_array(m, to), &f = edit_array(m, from);
  const std::uint32_t count = std::min({f.avail, max, t.limit - t.avail});
  for (std::uint32_t i = 0; i < count; ++i)
    m.arena.edit(to.entries, to.index * to.room + t.avail + i) =
        std::exchange(m.arena.edit(from.entries, from.index * from.room + f.avail - count + i), 0);
  f.avail -= count, t.avail += count;
  return count;
}

}  // namespace ref::slab
