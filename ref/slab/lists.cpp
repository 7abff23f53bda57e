// Implements the lists of slabs.
#include "ref/slab/lists.hpp"

namespace ref::slab {
namespace {

List& list_of(Machine& m, Index page, std::uint8_t list) {
  Node& n = edit_node(m, slab_at(m, page).cache - 1, node_of_slab(m, page));
  switch (list) {
    case on_full: return n.full;
    case on_partial: return n.partial;
    case on_free: return n.free;
    default: UNREACHABLE("a list of slabs that a node does not have");
  }
}

}  // namespace

void push_front(Machine& m, Index page, SlabList list) {
  List& l = list_of(m, page, list);
  Slab& s = edit_slab(m, page);
  REQUIRE(s.list == on_none);
  s.list = list, s.next = l.head, s.prev = 0;
  (l.head != 0 ? edit_slab(m, l.head - 1).prev : l.tail) = page + 1;
  l.head = page + 1;
  ++l.count;
}

void push_back(Machine& m, Index page, SlabList list) {
  List& l = list_of(m, page, list);
  Slab& s = edit_slab(m, page);
  REQUIRE(s.list == on_none);
  s.list = list, s.next = 0, s.prev = l.tail;
  (l.tail != 0 ? edit_slab(m, l.tail - 1).next : l.head) = page + 1;
  l.tail = page + 1;
  ++l.count;
}

void unlink_slab(Machine& m, Index page) {
  Slab& s = edit_slab(m, page);
  if (s.list == on_none) return;
  List& l = list_of(m, page, s.list);
  (s.prev != 0 ? edit_slab(m, s.prev - 1).next : l.head) = s.next;
  (s.next != 0 ? edit_slab(m, s.next - 1).prev : l.tail) = s.prev;
  s.list = on_none, s.next = s.prev = 0;
  --l.count;
}

}  // namespace ref::slab
