// model: naive maps, straight from the sentences, that say what one call must do.
//
//   before the call   Model expected = Model::of(machine)             counts and pages in vectors
//   after it          expected.mapped(machine, pfn, address)          first difference, or nothing
//
// It is made of the machine's state before the call and plays the call on it. It has no opinion on
// calls during which others acted.
#pragma once
#include <optional>
#include <vector>

#include "props/core/violation.hpp"
#include "ref/kmap/kmap.hpp"

namespace props::kmap {

class Model {
 public:
  using Machine = ref::kmap::Machine;
  using Pfn = ref::core::Pfn;

  static Model of(const Machine&);

  // The call that was made on the model's machine, the machine after it, and its answer: the
  // address, or nothing for a wait.
  std::optional<Finding> mapped(const Machine& after, Pfn,
                                std::optional<ref::buddy::Address> answer);
  std::optional<Finding> unmapped(const Machine& after, Pfn);
  std::optional<Finding> flushed(const Machine& after);

  // Where a temporary map must stand: of a type (2.6.11), or a depth (6.1), on a CPU.
  static std::uint64_t temporary_address(const ref::core::Config&, std::uint32_t cpu,
                                         std::uint32_t nth);

 private:
  struct Slot {
    std::uint32_t count = 0;
    std::optional<Pfn> page;  // of which page_address knows
    bool operator==(const Slot&) const = default;
  };
  std::optional<std::size_t> slot_of(Pfn) const;
  std::optional<std::size_t> search();
  void flush();
  std::optional<Finding> difference(const Machine& after) const;

  std::vector<Slot> slots_;
  std::size_t last_ = 0;
  std::uint64_t base_ = 0, page_bytes_ = 0;
};

}  // namespace props::kmap
