// What the invariants of kmap machines share.
#pragma once
#include <cstring>

#include "props/kmap/invariants.hpp"

namespace props::kmap {

using ref::core::Index;
using ref::core::Pfn;
using ref::mmu::Pte;

bool is_high_frame(const Machine&, Pfn);

template <class T>
bool is_zero(const T& record) {
  const T none{};
  return std::memcmp(&record, &none, sizeof(T)) == 0;
}

// Of temporary maps: invariants_temporary.cpp.
Broken saved_broken(const Machine&);
Broken slots_broken(const Machine&);
Broken canonical_broken(const Machine&);

}  // namespace props::kmap
