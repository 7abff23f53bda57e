// lists: doubly linked lists of pages, by index; every list of the layer goes through here.
//
//   list   head ──▶ 7 ⇄ 3 ⇄ 12 ◀── tail      links are index + 1, zero at both ends
#pragma once
#include "ref/buddy/machine.hpp"

namespace ref::buddy {

using ListTable = core::Table<List>;

void push_front(Machine&, const ListTable&, std::uint64_t list, Index page);
void push_back(Machine&, const ListTable&, std::uint64_t list, Index page);
// The page's links are zero afterwards. REQUIREs that it is not the member of an empty list.
void unlink(Machine&, const ListTable&, std::uint64_t list, Index page);

}  // namespace ref::buddy
