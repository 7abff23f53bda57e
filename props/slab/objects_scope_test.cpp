// The ledger of callers' objects against a naive restatement, byte by byte, in every state of a
// complete small scope.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>

#include "props/core/probe.hpp"
#include "props/slab/objects.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::slab {
namespace {

using namespace ref::core;

// Pages of 256 bytes, of which a block of two is the allocator's, and one that a caller may have.
//
//   pfn  0     1     2        3 ...
//        [ own     ] [caller] . free ...
constexpr std::uint32_t page = 256, pages = 8;

struct Scope {
  explicit Scope(EraId era) : m(config(era)) {
    QuietEnv env;
    for (const unsigned order : {1u, 0u}) {
      const auto got = ref::buddy::alloc_pages(env, m, GFP_BIT_NOWARN, order);
      EXPECT_TRUE(got.has_value());
      blocks.push_back({page_offset + std::uint64_t{got.value_or(0)} * page, page << order});
    }
  }
  static Config config(EraId era) {
    Config c;
    c.era = era;
    c.page_bytes = page;
    c.orders = 3;
    c.pcp = false;
    c.min_free_kbytes = 0;
    c.lowmem_reserve_ratio = {0, 0};
    c.add_zone(ZoneKind::normal, pages);
    return c;
  }
  struct Block {
    std::uint64_t begin, bytes;
  };
  ref::buddy::Machine m;
  std::vector<Block> blocks;  // live ones; the last is a caller's
};

// Half pages, from one before all memory to one behind.
constexpr std::uint64_t from = page_offset - page / 2;
constexpr std::uint64_t to = page_offset + pages * page + page / 2;

// Who has each byte, and where what was granted begins.
struct Naive {
  struct Held {
    std::uint64_t bytes;
    bool pages;
    auto operator<=>(const Held&) const = default;
  };
  std::map<std::uint64_t, Held> held;
  enum Owner : std::uint8_t { nobody, object, caller_of_pages };
  std::array<Owner, to - from + 2 * page> owner{};

  void mark(std::uint64_t begin, std::uint64_t bytes, Owner who) {
    for (std::uint64_t at = begin; at < begin + bytes; ++at) owner[at - from] = who;
  }
  void give(std::uint64_t begin, const Held& what) {
    held[begin] = what;
    mark(begin, what.bytes, what.pages ? caller_of_pages : object);
  }
  void take(std::uint64_t begin) {
    mark(begin, held[begin].bytes, nobody);
    held.erase(begin);
  }
  std::set<std::string> owners(std::uint64_t begin, std::uint64_t bytes) const {
    bool seen[3]{};
    for (std::uint64_t at = begin; at < begin + bytes; ++at) seen[owner[at - from]] = true;
    std::set<std::string> rules;
    if (seen[object]) rules.insert("OBJECT-DISJOINT");
    if (seen[caller_of_pages]) rules.insert("OBJECT-IN-PAGES");
    return rules;
  }
  static bool in_pages(const Scope& scope, std::uint64_t begin, std::uint64_t bytes) {
    bool inside = false;
    for (const Scope::Block& b : scope.blocks)
      inside |= bytes > 0 && b.begin <= begin && begin + bytes <= b.begin + b.bytes;
    return inside;
  }
  // The rules of which one must be named; none: it is right.
  std::set<std::string> judge(const Scope& scope, std::uint64_t address,
                              const Objects::Ask& ask) const {
    const std::uint64_t room = ask.usable == 0 ? 1 : ask.usable;
    if (ask.usable < ask.bytes) return {"OBJECT-USABLE"};
    if (ask.align != 0 && address % ask.align != 0) return {"OBJECT-ALIGNED"};
    if (auto rules = owners(address, room); !rules.empty()) return rules;
    if (!in_pages(scope, address, room)) return {"OBJECT-IN-PAGES"};
    return {};
  }
};

class Closure {
 public:
  explicit Closure(EraId era) : scope_(era) {}
  std::size_t run() {
    visit(Objects{}, Naive{});
    return seen_.size();
  }
  std::map<std::string, int> verdicts;  // "": right
  const Scope& scope() const { return scope_; }

 private:
  void visit(const Objects& objects, const Naive& naive) {
    if (!seen_.insert(naive.held).second || testing::Test::HasFatalFailure()) return;
    expect_same(objects, naive);
    for (std::uint64_t address = from; address <= to; address += page / 2)
      for (const Bytes usable : {0u, page / 2, page / 2 + 1, 2 * page}) {
        const Objects::Ask ask{.bytes = usable, .usable = usable, .align = 1};
        Objects next = objects;
        if (next.granted(scope_.m, address, ask)) continue;
        Naive more = naive;
        more.give(address, {usable == 0 ? 1 : usable, false});
        visit(next, more);
      }
    const Scope::Block& callers = scope_.blocks.back();
    Objects next = objects;
    if (!next.pages_granted(callers.begin, callers.bytes)) {
      Naive more = naive;
      more.give(callers.begin, {callers.bytes, true});
      visit(next, more);
    }
    for (const auto& [address, held] : naive.held) {
      Objects less = objects;
      held.pages ? less.pages_released(address) : less.released(address);
      Naive fewer = naive;
      fewer.take(address);
      expect_same(less, fewer);  // seen already, though not as left by a release
    }
  }

  // Every ask in this state, judged by both.
  void expect_same(const Objects& objects, const Naive& naive) {
    ASSERT_EQ(objects.count(), naive.held.size());
    for (std::uint64_t address = from; address <= to; address += page / 2) {
      const auto at = naive.held.find(address);
      ASSERT_EQ(objects.is_live(address), at != naive.held.end() && !at->second.pages);
      for (const Objects::Ask& ask : asks) {
        Objects next = objects;
        const auto finding = next.granted(scope_.m, address, ask);
        const auto wrong = naive.judge(scope_, address, ask);
        const std::string named(finding ? finding->rule : "");
        ++verdicts[named];
        ASSERT_TRUE(finding ? wrong.contains(named) : wrong.empty())
            << std::hex << address << " usable " << ask.usable << ": " << named;
        ASSERT_EQ(next.count(), objects.count() + !finding);
      }
    }
    for (std::uint64_t address = page_offset; address < to - page; address += page)
      for (const Bytes bytes : {page, 2 * page}) {
        Objects next = objects;
        ASSERT_EQ(next.pages_granted(address, bytes).has_value(),
                  !naive.owners(address, bytes).empty());
      }
  }

  static constexpr std::array asks{
      Objects::Ask{0, 0, 1},          Objects::Ask{1, page / 2, 1},
      Objects::Ask{9, 8, 1},          Objects::Ask{page / 2 + 1, page / 2 + 1, page / 2},
      Objects::Ask{page, page, page}, Objects::Ask{2 * page, 2 * page, 8}};
  Scope scope_;
  std::set<std::map<std::uint64_t, Naive::Held>> seen_;
};

// With pieces of one half page (0 bytes, or a half page), of two (a byte more) and of four (two
// pages) a block of n halves has f(n) = 3 f(n-1) + f(n-2) + f(n-4) states; the caller's page is
// taken as a whole besides.
TEST(ObjectsScope, every_ask_in_every_state_is_judged_as_byte_by_byte) {
  constexpr std::size_t f2 = 10, f4 = 110;
  for (const EraId era : {EraId::linux_2_6_11, EraId::linux_6_1}) {
    Closure closure(era);
    EXPECT_EQ(closure.run(), f4 * (f2 + 1));
    for (const char* verdict :
         {"", "OBJECT-USABLE", "OBJECT-ALIGNED", "OBJECT-DISJOINT", "OBJECT-IN-PAGES"})
      EXPECT_GT(closure.verdicts[verdict], 0) << verdict;
  }
}

TEST(ObjectsScope, bytes_lie_in_pages_when_one_live_block_has_them_all) {
  for (const EraId era : {EraId::linux_2_6_11, EraId::linux_6_1}) {
    const Scope scope(era);
    for (std::uint64_t at = page_offset - 2; at < page_offset + pages * page + 2; ++at)
      for (Bytes bytes = 0; bytes <= 2 * page + 1; bytes += bytes < 3 ? 1 : page / 4 - 1)
        ASSERT_EQ(!Objects::still_in_pages(scope.m, at, bytes), Naive::in_pages(scope, at, bytes))
            << std::hex << at << " bytes " << bytes;
  }
}

}  // namespace
}  // namespace props::slab
