// scope_walk: everything that can be asked of a small window, up to a depth, beside the naive one.
//
//   reserve 1, 2, 3 pages with guard, 1 without, 2 aligned │ free each area │ purge
//   at each step: same answer, same picture, sets that hold together
#pragma once
#include "props/vmalloc/naive_window.hpp"
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {

class ScopeWalk {
 public:
  struct State {
    Kernel kernel;
    NaiveWindow naive;
    std::vector<Address> live;
  };
  struct Ask {
    std::uint64_t pages;
    std::uint32_t flags;
    std::uint64_t taken, align;  // in pages: what the naive window is asked for
  };

  std::size_t granted = 0, refused = 0;

  explicit ScopeWalk(std::vector<Ask> asks) : asks_(std::move(asks)) {}

  void run(const State& state, std::size_t depth) {
    spare_.assign(depth, state);  // assigning to a machine is cheaper than making one
    go(state, depth);
  }

 private:
  void go(const State& state, std::size_t depth) {
    if (depth == 0) return;
    State& next = spare_[depth - 1];
    for (const Ask& ask : asks_) {
      next = state;
      reserve(next, ask);
      check(next);
      go(next, depth - 1);
    }
    for (std::size_t i = 0; i < state.live.size(); ++i) {
      next = state;
      next.naive.give(next.kernel.page(next.live[i]));
      free_vm_area(next.kernel.env, next.kernel.m, next.live[i]);
      next.live.erase(next.live.begin() + static_cast<std::ptrdiff_t>(i));
      check(next);
      go(next, depth - 1);
    }
    next = state;
    purge_vmap_area_lazy(next.kernel.env, next.kernel.m);
    next.naive.purge();
    check(next);
    go(next, depth - 1);
  }
  void reserve(State& s, const Ask& ask) {
    const Answer<Address> got = s.kernel.ask_area(ask.pages, ask.flags);
    const auto expected = s.naive.take(ask.taken, ask.align);
    ASSERT_EQ(got.has_value(), expected.has_value()) << ask.pages << s.kernel.picture();
    ++(got ? granted : refused);
    if (!got) return;
    EXPECT_EQ(s.kernel.page(*got), *expected);
    s.live.push_back(*got);
  }
  void check(const State& s) {
    ASSERT_EQ(ranges_broken(s.kernel.m), "") << s.kernel.picture();
    std::string drawn = s.kernel.picture();
    for (std::size_t i = 1; i < drawn.size(); ++i)
      if (drawn[i] == 'g') drawn[i] = drawn[i - 1];
    ASSERT_EQ(drawn, s.naive.picture());
    ASSERT_EQ(s.kernel.m.globals().log.fault, Fault::none);
  }

  std::vector<Ask> asks_;
  std::vector<State> spare_;
};

}  // namespace props::vmalloc::by_hand
