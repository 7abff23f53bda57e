// Implements the lists of pages.
#include "ref/buddy/lists.hpp"

namespace ref::buddy {

void push_front(Machine& m, const ListTable& table, std::uint64_t list, Index page) {
  List& l = m.arena.edit(table, list);
  Page& p = edit_page(m, page);
  p.next = l.head, p.prev = 0;
  if (l.head != 0) edit_page(m, l.head - 1).prev = page + 1;
  else l.tail = page + 1;
  l.head = page + 1;
  ++l.count;
}

void push_back(Machine& m, const ListTable& table, std::uint64_t list, Index page) {
  List& l = m.arena.edit(table, list);
  Page& p = edit_page(m, page);
  p.next = 0, p.prev = l.tail;
  if (l.tail != 0) edit_page(m, l.tail - 1).next = page + 1;
  else l.head = page + 1;
  l.tail = page + 1;
  ++l.count;
}

void unlink(Machine& m, const ListTable& table, std::uint64_t list, Index page) {
  List& l = m.arena.edit(table, list);
  Page& p = edit_page(m, page);
  REQUIRE(l.count > 0);
  (p.prev != 0 ? edit_page(m, p.prev - 1).next : l.head) = p.next;
  (p.next != 0 ? edit_page(m, p.next - 1).prev : l.tail) = p.prev;
  p.next = p.prev = 0;
  --l.count;
}

}  // namespace ref::buddy
