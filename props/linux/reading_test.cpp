// reading_test: recordings are read however their bytes arrive, packed or plain; what cannot be
// read is named by line and column.
#include <gtest/gtest.h>
#include <lzma.h>

#include <algorithm>

#include "props/linux/object_event.hpp"
#include "props/linux/recording_cases.hpp"
#include "props/linux/xz.hpp"

namespace props::recorded {
namespace {

struct Unreadable {
  std::string text;
  std::uint64_t line;
  std::uint64_t column;
  std::string_view what;
};

TEST(Unreadable, EventsAreRefusedWithLineColumnAndExpectation) {
  const std::string head = "bash-754 [000] ..... 1.5: ";  // 26 bytes
  const std::vector<Unreadable> cases{
      {"", 1, 1, "without any page or object event"},
      {"# only a comment\n\n", 3, 1, "without any page or object event"},
      {head + "sched_switch: prev_comm=x\n", 2, 1, "without any page or object event"},
      {"hello\n", 1, 1, "not a line of tracefs"},
      {alloc(8, 0) + "  hello\n", 2, 3, "not a line of tracefs"},
      {"bash-754 [0x0] ..... 1.5: mm_page_free: pfn=0x1 order=0\n", 1, 1, "not a line"},
      {"bash-754 [000] ..... 1.5 mm_page_free: pfn=0x1 order=0\n", 1, 1, "not a line"},
      {head + "mm_page_free pfn=0x1 order=0\n", 1, 39, "no ':'"},
      {head + "mm_page_free\n", 1, 39, "no ':'"},
      {head + "mm_page_free: page=1 order=0\n", 1, 55, "no pfn="},
      {head + "mm_page_free: pfn=0x1 page=1\n", 1, 55, "no order="},
      {head + "mm_page_free: pfn=0xzz order=0\n", 1, 45, "\"0xzz\" is not a number"},
      {head + "mm_page_free: pfn= order=0\n", 1, 45, "is not a number"},
      {head + "mm_page_free: pfn=29f7 order=0\n", 1, 45, "is not a number"},
      {head + "mm_page_free: pfn=0x1 order=-1\n", 1, 55, "is not a number"},
      {head + "mm_page_free: pfn=0x1 order=0x\n", 1, 55, "is not a number"},
      {head + "mm_page_free: pfn=0x1 order=64\n", 1, 55, "order 64 cannot be"},
      {head + "mm_page_free: pfn=0x10000000000000000 order=1\n", 1, 45, "is not a number"},
      {head + "mm_page_free: pfn=0xffffffffffffffff order=0\n", 1, 45, "ends beyond"},
      {head + "mm_page_alloc: page=1 pfn=0x8000000000000000 order=63\n", 1, 53, "ends beyond"},
      {head + "kfree: call_site=f\n", 1, 45, "no ptr="},
      {head + "kfree: ptr=\n", 1, 38, "is not a pointer"},
      {head + "kfree: ptr=0xffff8g\n", 1, 38, "is not a pointer"},
      {head + "kfree ptr=ffff888000001000\n", 1, 32, "no ':'"},
      {head + "kmalloc: ptr=ffff888000001000 bytes_req=8\n", 1, 68, "no bytes_alloc="},
      {head + "kmalloc: ptr=ffff888000001000 bytes_alloc=8\n", 1, 70, "no bytes_req="},
      {head + "kmalloc: ptr=0 bytes_req=x bytes_alloc=8\n", 1, 52, "is not a number"},
      {head + "kmalloc: ptr=fffffffffffffff8 bytes_req=8 bytes_alloc=8\n", 1, 81, "end beyond"},
      {head + "sched_switch: x\n" + head + "mm_page_fr\nmm_page_free: pf", 3, 1, "not a line"},
      {head + "sched_switch: x\nby\x01tes\n", 2, 1, "not a line"},
  };
  for (const Unreadable& one : cases) {
    SCOPED_TRACE(one.text);
    const Verdict verdict = judge_text(one.text);
    ASSERT_TRUE(verdict.problem);
    EXPECT_EQ(verdict.problem->line, one.line);
    EXPECT_EQ(verdict.problem->column, one.column);
    EXPECT_NE(verdict.problem->what.find(one.what), std::string::npos) << verdict.problem->what;
    EXPECT_FALSE(verdict.problem->expected.empty());
  }
}

// Gives the same byte for ever and counts how much was taken.
struct Endless final : ByteSource {
  explicit Endless(char byte) : byte_(byte) {}
  std::expected<std::size_t, Problem> read(std::span<char> space) override {
    std::ranges::fill(space, byte_);
    taken += space.size();
    return space.size();
  }
  std::size_t taken = 0;
  char byte_;
};

TEST(Unreadable, ALineWithoutEndIsRefusedAfterABoundedRead) {
  Endless source('#');
  LineReader reader(source);
  const Verdict verdict = judge(reader, "endless");
  ASSERT_TRUE(verdict.problem);
  EXPECT_EQ(verdict.problem->line, 1u);
  EXPECT_EQ(verdict.problem->column, LineReader::line_bytes_max + 1);
  EXPECT_LE(source.taken, 1u << 20);
}

TEST(Unreadable, TheLongestLineIsAcceptedAndOneByteMoreIsNot) {
  const std::string comment(LineReader::line_bytes_max, '#');
  EXPECT_FALSE(judge_text(alloc(1, 0) + comment + "\n").problem);
  EXPECT_FALSE(judge_text(alloc(1, 0) + comment).problem);
  EXPECT_TRUE(judge_text(alloc(1, 0) + comment + "#\n").problem);
  EXPECT_TRUE(judge_text(alloc(1, 0) + comment + "#").problem);
}

struct OneByteAtATime final : ByteSource {
  explicit OneByteAtATime(std::string text) : text_(std::move(text)) {}
  std::expected<std::size_t, Problem> read(std::span<char> space) override {
    if (at_ == text_.size()) return 0;
    space[0] = text_[at_++];
    return 1;
  }
  std::string text_;
  std::size_t at_ = 0;
};

std::vector<std::string> lines_of(ByteSource& source) {
  LineReader reader(source);
  std::vector<std::string> lines;
  for (auto line = reader.next(); line && *line; line = reader.next()) lines.emplace_back(**line);
  EXPECT_EQ(reader.line(), lines.size());
  return lines;
}

TEST(Lines, DoNotDependOnHowTheBytesArrive) {
  const std::vector<std::string> expected{"one", "", "two", "last"};
  for (const std::string text : {"one\n\ntwo\r\nlast", "one\n\ntwo\nlast\n"}) {
    TextSource whole(text);
    OneByteAtATime slow(text);
    EXPECT_EQ(lines_of(whole), expected);
    EXPECT_EQ(lines_of(slow), expected);
  }
}

std::string packed(std::string_view text) {
  std::string bytes(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t used = 0;
  const lzma_ret code = lzma_easy_buffer_encode(
      1, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
      reinterpret_cast<std::uint8_t*>(bytes.data()), &used, bytes.size());
  EXPECT_EQ(code, LZMA_OK);
  bytes.resize(used);
  return bytes;
}

std::expected<Verdict, Problem> judge_bytes(std::string bytes) {
  auto source = open_recording(std::make_unique<OneByteAtATime>(std::move(bytes)));
  if (!source) return std::unexpected(source.error());
  LineReader reader(**source);
  return judge(reader, "bytes");
}

TEST(Xz, StreamsBehindEachOtherAreOneText) {
  const auto verdict = judge_bytes(packed(alloc(1, 0)) + packed(alloc(2, 0) + alloc(1, 0)));
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->problem);
  ASSERT_EQ(verdict->violation_count, 1u);
  EXPECT_EQ(summary(verdict->violations.front()), "LINUX-DISJOINT line 3 collides 1");
}

TEST(Xz, EveryTruncationIsRefused) {
  const std::string whole = packed(alloc(1, 0));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const auto verdict = judge_bytes(whole.substr(0, bytes));
    EXPECT_TRUE(!verdict || verdict->problem) << bytes;
  }
  EXPECT_FALSE(judge_bytes(whole)->problem);
}

TEST(Xz, EveryFlippedByteIsRefused) {
  const std::string whole = packed(alloc(1, 0));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    const auto verdict = judge_bytes(std::move(broken));
    EXPECT_TRUE(!verdict || verdict->problem) << at;
  }
}

TEST(Xz, OtherCompressionsAreNamed) {
  const auto verdict = judge_bytes("\x1f\x8b\x08 and more bytes");
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().what.find("gzip"), std::string::npos);
}

TEST(Events, AreFoundBehindAnyTaskName) {
  for (const std::string_view head :
       {"            bash-754     [000] .....  2685.396156: ",
        "  [1] ..  1.0: x-754     [000] .....  2685.3: ", "a [b] - c-754 [000] 2685.3: ",
        "<...>-3 (-------) [012] d..1.  2685396156: "}) {
    SCOPED_TRACE(head);
    const auto line = read_line(std::string(head) + "mm_page_free:   pfn=0x10 order=4");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->kind, LineKind::event);
  }
  // The kernel's column decides, not what a task calls itself.
  const std::string odd =
      " [1] . 1.0: x: y-754     [000] .....  2685.396156: mm_page_free: pfn=1 order=0";
  EXPECT_EQ(read_line(odd)->name, "mm_page_free");
}

ObjectEvent read_object(std::string_view fields) {
  const std::string text = fmt::format("bash-754 [000] 1.5: {}", fields);
  const auto line = read_line(text);
  EXPECT_TRUE(line && is_object_event(line->name)) << text;
  const auto event = read_object_event(*line);
  EXPECT_TRUE(event) << text;
  return *event;
}

TEST(ObjectEvents, OfEachNameAreReadWithTheirFields) {
  using Kind = ObjectEventKind;
  const std::string fields =
      ": call_site=f+0x1/0x2 [mod] ptr=ffff888000001000 name=a "
      "bytes_req=72 bytes_alloc=96 gfp_flags=GFP_KERNEL node=-1";
  for (const auto& [name, kind] :
       {std::pair{"kmalloc", Kind::kmalloc}, std::pair{"kmalloc_node", Kind::kmalloc},
        std::pair{"kmem_cache_alloc", Kind::cache_alloc},
        std::pair{"kmem_cache_alloc_node", Kind::cache_alloc}, std::pair{"kfree", Kind::free},
        std::pair{"kmem_cache_free", Kind::free}}) {
    SCOPED_TRACE(name);
    const ObjectEvent event = read_object(name + fields);
    EXPECT_EQ(event.kind, kind);
    EXPECT_EQ(event.address, 0xffff888000001000);
    EXPECT_EQ(event.bytes_req, kind == Kind::free ? 0u : 72u);
    EXPECT_EQ(event.bytes_alloc, kind == Kind::free ? 0u : 96u);
  }
}

TEST(ObjectEvents, AreOfNothingWhereThePointerIsNullOrForNoBytes) {
  for (const std::string pointer :
       {"0000000000000000", "(null)", "(nil)", "0x0", "10", "0000000000000010"}) {
    SCOPED_TRACE(pointer);
    EXPECT_EQ(read_object("kfree: ptr=" + pointer).kind, ObjectEventKind::free_nothing);
    EXPECT_EQ(read_object("kmalloc: ptr=" + pointer + " bytes_req=0 bytes_alloc=0").kind,
              ObjectEventKind::failed_alloc);
  }
}

TEST(ObjectEvents, HaveNoAddressWhereThePointerIsHashed) {
  for (const std::string pointer : {"00000000a1b2c3d4", "(____ptrval____)", "(ptrval)"}) {
    SCOPED_TRACE(pointer);
    const ObjectEvent freed = read_object("kfree: ptr=" + pointer);
    EXPECT_EQ(freed.kind, ObjectEventKind::free);
    EXPECT_EQ(freed.address, 0u);
    const ObjectEvent got = read_object("kmalloc: ptr=" + pointer + " bytes_req=9 bytes_alloc=8");
    EXPECT_EQ(got.address, 0u);
    EXPECT_EQ(got.bytes_req, 9u);
  }
}

TEST(ObjectEvents, AreNotTheFunctionsOfTheSameNames) {
  const Verdict verdict = judge_text(alloc(1, 0) + "bash-754 [000] 1.5: kfree <-__fput\n");
  EXPECT_FALSE(verdict.problem);
  EXPECT_EQ(verdict.counts.other, 1u);
  EXPECT_EQ(verdict.counts.objects.events, 0u);
}

TEST(Events, OfOlderKernelsAreReadUnderTheirOldNames) {
  const std::string head = "bash-754 [000] 1.5: ";
  const Verdict verdict = judge_text(head + "mm_page_alloc: page=1 pfn=10 order=1 x=y\n" + head +
                                     "mm_page_free_direct: page=1 pfn=10 order=1\n" + head +
                                     "mm_pagevec_free: page=1 pfn=10 order=0 cold=0\n");
  EXPECT_FALSE(verdict.problem);
  EXPECT_EQ(verdict.counts.frees, 1u);
  EXPECT_EQ(verdict.counts.batched, 1u);
}

}  // namespace
}  // namespace props::recorded
