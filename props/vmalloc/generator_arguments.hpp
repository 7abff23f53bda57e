// generator_arguments: the arguments of a drawn operation, by their type first, then by what the
// call needs.
#pragma once
#include "props/vmalloc/generator.hpp"

namespace props::vmalloc {

template <class Op>
constexpr bool is_one_of(auto... sample) {
  return (std::is_same_v<Op, decltype(sample)> || ...);
}

// True when nothing would happen: an empty operand, or an occupied result.
bool would_skip(const World&, const World::Operation&);

class Arguments {
 public:
  Arguments(const World& w, Random& r, std::uint32_t registers, std::uint64_t pages, bool misuse)
      : w_(w), r_(r), registers_(registers), pages_(pages), misuse_(misuse) {}

  template <class Op>
  Op draw() {
    Op op;
    op.fields(op, [&]<class D>(std::string_view key, D& field) { set(key, field); });
    settle(op);
    return op;
  }

 private:
  // Of the registers for which f holds, the next from a drawn one on.
  template <std::size_t count, class F>
  std::uint8_t pick(std::size_t of, F f) {
    const std::size_t from = r_.below(of);
    if (!r_.chance(32))
      for (std::size_t i = 0; i < of; ++i)
        if (const std::size_t reg = (from + i) % of; f(reg)) return static_cast<std::uint8_t>(reg);
    return static_cast<std::uint8_t>(from % count);
  }
  std::uint8_t area(Area::State state) {
    return pick<AreaRegister::count>(registers_,
                                     [&](std::size_t r) { return w_.areas()[r].state == state; });
  }
  void set(std::string_view key, AreaRegister& field);
  void set(std::string_view key, PageRegister& field);
  void set(std::string_view, GfpArg& field) { field.value = gfp(); }
  template <const auto& names>
  void set(std::string_view, Flags<names>& field) {
    field.value = r_.chance(2)   ? 1u << r_.below(3)
                  : r_.chance(2) ? 1u << r_.below(names.size())
                                 : 0;
  }
  template <std::uint64_t max>
  void set(std::string_view key, Number<max>& field) {
    field.value = number(key, max);
  }

  std::uint64_t number(std::string_view key, std::uint64_t max);
  std::uint64_t size();
  std::uint64_t phys();
  std::uint64_t offset();
  Gfp gfp();

  // An area in the wrong state now and then; of the gone ones mostly, for those that look at them.
  void settle(VfreeStale& op);
  void settle(VunmapStale& op) { op.area.value = area(Area::State::stale); }
  void settle(LoadStale& op) { op.area.value = area(Area::State::stale); }
  void settle(Prefetch& op);
  void settle(Vmap& op);
  void settle(UnmapRam& op);
  void settle(VmapPutPages& op);
  void settle(VfreeInside& op);
  void settle(RemapRange& op);
  void settle(Vfree& op);
  void settle(Vunmap& op);
  template <class Op>
  void settle(Op&) {}

  const World& w_;
  Random& r_;
  std::uint32_t registers_;
  std::uint64_t pages_;
  bool misuse_;
};

}  // namespace props::vmalloc
