// naive_window: what the window's allocator owes, a number for each page, and searches from the
// left.
//
//   NaiveWindow w(8, base, lazily);  w.take(3, 1)  page 0, "aaa....."     w.give(0)  "~~~....."
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace props::vmalloc::by_hand {

class NaiveWindow {
 public:
  NaiveWindow(std::uint64_t pages, std::uint64_t base, bool lazily)
      : page_(pages, free), base_(base), lazily_(lazily) {}

  // The lowest place for `pages`, guard included, at a multiple of `align` pages; nothing when it
  // is not there even after everything lazy is free again.
  std::optional<std::uint64_t> take(std::uint64_t pages, std::uint64_t align) {
    if (const auto place = find(pages, align)) return put(*place, pages);
    purge();
    if (const auto place = find(pages, align)) return put(*place, pages);
    return std::nullopt;
  }
  void give(std::uint64_t place) {
    const std::uint32_t area = page_[place];
    for (; place < page_.size() && page_[place] == area; ++place)
      page_[place] = lazily_ ? lazy : free;
  }
  void purge() {
    for (std::uint32_t& p : page_)
      if (p == lazy) p = free;
  }
  // `a` for the first area in address order, as the reference is drawn, guards as their areas.
  std::string picture() const {
    std::string text(page_.size(), '.');
    char letter = 'a' - 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins = page_[i] > lazy && (i == 0 || page_[i - 1] != page_[i]);
      if (begins) ++letter;
      if (page_[i] != free) text[i] = page_[i] == lazy ? '~' : letter;
    }
    return text;
  }

 private:
  static constexpr std::uint32_t free = 0, lazy = 1;  // above: areas

  std::optional<std::uint64_t> find(std::uint64_t pages, std::uint64_t align) const {
    std::uint64_t run = 0;  // free pages up to here
    for (std::uint64_t end = 1; end <= page_.size(); ++end) {
      run = page_[end - 1] == free ? run + 1 : 0;
      if (run < pages) continue;
      for (std::uint64_t p = end - run; p + pages <= end; ++p)
        if ((base_ + p) % align == 0) return p;
    }
    return std::nullopt;
  }
  std::uint64_t put(std::uint64_t place, std::uint64_t pages) {
    ++areas_;
    for (std::uint64_t i = 0; i < pages; ++i) page_[place + i] = lazy + areas_;
    return place;
  }

  std::vector<std::uint32_t> page_;
  std::uint64_t base_;
  bool lazily_;
  std::uint32_t areas_ = 0;
};

}  // namespace props::vmalloc::by_hand
