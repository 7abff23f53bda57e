// property_case: what the properties of the page allocator share about a machine.
#pragma once
#include "props/buddy/properties.hpp"
#include "props/core/probe.hpp"
#include "props/core/property_case.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {

using Case = props::Case<World, Newborn, Judging>;

// A copy whose caller is a plain task on this CPU, with no fault planned and no lists in between.
ref::buddy::Machine settled(const World&);

// The free blocks of the lists, by frame; what is parked on per-CPU lists is not among them.
std::vector<std::pair<Pfn, unsigned>> shape_of(const ref::buddy::Machine&);
std::string text_of(const std::vector<std::pair<Pfn, unsigned>>& shape);
// Pages of a zone that its per-CPU lists hold.
std::uint64_t parked(const ref::buddy::Machine&, ref::core::Index zone);
// True when frames were flagged while nobody owned them: then requests may lose pages (B-38).
bool scribbled(const World&);

// About what is free.
void newborn_again(Case&), any_order_of_frees(Case&), settled_once(Case&), all_can_be_had(Case&),
    taken_and_given_back(Case&), pages_add_up(Case&);
// About single calls.
void failing_changes_nothing(Case&), contents_stay(Case&), double_frees_are_named(Case&),
    bulk_is_singles(Case&);

}  // namespace props::buddy
