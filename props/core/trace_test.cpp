// Tests the text and the bytes of traces: one spelling for each, and errors with line and column.
#include "props/core/trace.hpp"

#include <gtest/gtest.h>

#include "props/core/context_ops.hpp"
#include "props/core/random.hpp"

namespace props {
namespace {

using ref::core::Fault;

// Operations with every type of argument; what they would do is nobody's business here.
struct Take {
  PageRegister out;
  OrderArg order;
  GfpArg gfp;
  static constexpr std::string_view name = "take";
  static constexpr std::uint8_t code = 1;
  static void fields(auto& op, auto v) { v("", op.out), v("order", op.order), v("gfp", op.gfp); }
};
struct Give {
  PageRegister page;
  BytesArg bytes;
  static constexpr std::string_view name = "give";
  static constexpr std::uint8_t code = 2;
  static void fields(auto& op, auto v) { v("page", op.page), v("bytes", op.bytes); }
};
struct Tune {
  ZoneArg zone;
  Number<1> on;
  static constexpr std::string_view name = "tune";
  static constexpr std::uint8_t code = 126;
  static void fields(auto& op, auto v) { v("zone", op.zone), v("on", op.on); }
};
struct Map : Give {
  static constexpr std::string_view name = "map";
  static constexpr std::uint8_t code = 128;
};
struct Last : Give {
  static constexpr std::string_view name = "last";
  static constexpr std::uint8_t code = 255;
};
using Operation = std::variant<Take, Give, Tune, SelectCpu, IrqEnter, SetTaskFlags, Map, Last>;
static_assert(codes_are_distinct<Operation>());
static_assert(!codes_are_distinct<std::variant<Take, Take>>());

struct Zero : Take {
  static constexpr std::uint8_t code = 0;
};
struct Prefix : Take {
  static constexpr std::uint8_t code = long_code;
};
static_assert(!codes_are_distinct<std::variant<Zero>>());
static_assert(!codes_are_distinct<std::variant<Prefix>>());

auto parse(std::string_view text) { return parse_trace<Operation>(text); }

const std::string head = "allocheck 1\nmachine era=linux-6.1 zones=NORMAL:64\n";  // two lines

std::vector<std::uint8_t> random_bytes(Random& random, std::size_t most) {
  std::vector<std::uint8_t> bytes(random.below(most));
  const bool small = random.chance(2);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random.below(small ? 8 : 256));
  return bytes;
}

// text -> bytes -> text, for whatever trace any bytes are.
TEST(Trace, any_bytes_are_a_trace_whose_text_and_bytes_name_each_other) {
  Random random(7);
  std::size_t steps = 0, armed = 0, zones = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto trace = decode_trace<Operation>(random_bytes(random, 200));
    ASSERT_FALSE(validate(trace.machine));
    const std::string text = print_trace(trace);
    const auto read = parse(text);
    ASSERT_TRUE(read) << text << read.error().line << ": " << read.error().what;
    ASSERT_EQ(print_trace(*read), text);
    ASSERT_EQ(read->machine, trace.machine);
    const auto bytes = encode_trace(*read);
    const auto again = decode_trace<Operation>(bytes);
    ASSERT_EQ(print_trace(again), text);
    ASSERT_EQ(encode_trace(again), bytes);
    steps += trace.steps.size();
    for (const auto& step : trace.steps) armed += step.at.has_value();
    zones += trace.machine.zone_count;
  }
  EXPECT_GT(steps, 50000u);
  EXPECT_GT(armed, 5000u);
  EXPECT_GT(zones, 10000u);
}

TEST(Trace, codes_of_more_than_seven_bits_stand_behind_a_byte_that_is_nobodys) {
  const auto bytes_of = [](const Operation& op, bool armed) {
    ByteWriter to;
    encode_operation(op, armed, to, EraId::linux_6_1);
    return to.take();
  };
  const std::vector<std::uint8_t> plain{0x02, 5, 7}, map{0x7f, 128, 5, 7}, armed{0xff, 255, 5, 7};
  EXPECT_EQ(bytes_of(Give{{5}, {7}}, false), plain);
  EXPECT_EQ(bytes_of(Map{{{5}, {7}}}, false), map);
  EXPECT_EQ(bytes_of(Last{{{5}, {7}}}, true), armed);
  for (const auto& bytes : {plain, map, armed}) {
    ByteReader from(bytes);
    const auto step = decode_step<Operation>(from, EraId::linux_6_1);
    EXPECT_EQ(step.at.has_value(), bytes == armed);
    EXPECT_EQ(std::visit([](const auto& op) { return int{op.code}; }, step.op), bytes == plain ? 2
                                                                                : bytes == map
                                                                                    ? 128
                                                                                    : 255);
  }
}

TEST(Trace, keeps_comments_expectation_answers_and_lines) {
  const std::string text =
      "allocheck 1\n"
      "# What this shows.\n"
      "#\n"
      "machine era=linux-2.6.11 zones=DMA:16,NORMAL:64\n"
      "expect mutant:buddy/no-merge BUDDY-COALESCED\n"
      "p0 = take(order=3, gfp=GFP_KERNEL|__GFP_NOWARN) -> pfn 16\n"
      "@buddy.pcp.locked give(page=p63, bytes=18446744073709551615) -> fault double-free\n"
      "tune(zone=HIGHMEM/3, on=1)\n"
      "set_task_flags(flags=PF_MEMALLOC|PF_REALTIME)\n"
      "set_task_flags(flags=0)\n"
      "irq_enter()\n"
      "end\n";
  const auto trace = parse(text);
  ASSERT_TRUE(trace) << trace.error().line << ": " << trace.error().what;
  ASSERT_EQ(trace->comments, (std::vector<std::string>{"What this shows.", ""}));
  ASSERT_TRUE(trace->expect);
  EXPECT_EQ(trace->expect->subject, "mutant:buddy/no-merge");
  EXPECT_EQ(trace->expect->rule, "BUDDY-COALESCED");
  ASSERT_EQ(trace->steps.size(), 6u);
  EXPECT_EQ(trace->steps[0].answer, (Answer{Answer::Kind::pfn, 16}));
  EXPECT_EQ(trace->steps[0].line, 6u);
  EXPECT_EQ(trace->steps[1].at, ref::core::Point::buddy_pcp_locked);
  EXPECT_EQ(trace->steps[1].answer, (Answer{Answer::Kind::fault, 0, Fault::double_free}));
  EXPECT_FALSE(trace->steps[2].answer);
  const auto& give = std::get<Give>(trace->steps[1].op);
  EXPECT_EQ(give.page.value, 63u);
  EXPECT_EQ(give.bytes.value, UINT64_MAX);
  const std::string printed = print_trace(*trace);
  EXPECT_EQ(printed.substr(0, 31), text.substr(0, 31));
  const auto again = parse(printed);
  ASSERT_TRUE(again);
  EXPECT_EQ(print_trace(*again), printed);
}

TEST(Trace, comments_and_empty_lines_may_stand_anywhere) {
  const auto trace = parse(
      "allocheck 1\n\n# one\nmachine era=linux-6.1 zones=NORMAL:64\n# two\n\n"
      "irq_enter()   # three\n  \n"
      "end\n");
  ASSERT_FALSE(trace);  // a line of spaces is no empty line
  EXPECT_EQ(trace.error().line, 8u);
  const auto good = parse(
      "allocheck 1\n\n# one\nmachine era=linux-6.1 zones=NORMAL:64\n# two\n\n"
      "irq_enter()   # three -> pfn\n"
      "end\n\n# four\n");
  ASSERT_TRUE(good) << good.error().what;
  ASSERT_EQ(good->steps.size(), 1u);
  EXPECT_EQ(good->steps[0].line, 7u);
}

struct Bad {
  std::string text;
  std::uint32_t line, column;
  std::string what, expected;  // how they begin
};

void expect_errors(std::span<const Bad> table) {
  for (const Bad& bad : table) {
    const auto trace = parse(bad.text);
    ASSERT_FALSE(trace) << bad.text;
    const TraceError& e = trace.error();
    EXPECT_EQ(e.line, bad.line) << bad.text;
    EXPECT_EQ(e.column, bad.column) << bad.text << e.what;
    EXPECT_TRUE(e.what.starts_with(bad.what)) << bad.text << e.what;
    EXPECT_TRUE(e.expected.starts_with(bad.expected)) << bad.text << e.expected;
  }
}

TEST(Trace, a_wrong_frame_is_an_error_with_line_and_column) {
  const std::string version = "'allocheck 1'";
  const std::string machine = "machine era=linux-6.1 zones=NORMAL:64\n";
  const std::string no_machine = "'machine era=... zones=...'";
  const Bad table[] = {
      {"", 1, 1, "the file is empty", version},
      {"\n" + head, 1, 1, "no trace: the first line is ''", version},
      {"allocheck\n", 1, 1, "no trace: the first line is 'allocheck'", version},
      {"allocheck 0\n" + machine + "end\n", 1, 11, "version 0 is not known here", version},
      {"allocheck 2\n" + machine + "end\n", 1, 11, "version 2 is not known here", version},
      {"allocheck 01\n" + machine, 1, 11, "bad version '01'", version},
      {"allocheck 1 \n" + machine, 1, 11, "bad version '1 '", version},
      {"allocheck 1\r\n" + machine, 1, 11, "bad version '1\\x0d'", version},
      {"allocheck 1", 1, 12, "the file ends here", no_machine},
      {"allocheck 1\n# only words\n", 2, 13, "the file ends here", no_machine},
      {"allocheck 1\nend\n", 2, 1, "'end' stands before the machine", no_machine},
      {"allocheck 1\nmachine\n", 2, 1, "'machine' stands before the machine", no_machine},
      {head, 2, 38, "the file ends without 'end': it was cut", "'end'"},
      {head + "irq_enter()\n", 3, 12, "the file ends without 'end': it was cut", "'end'"},
      {head + "irq_enter()\nen", 4, 3, "the file ends without 'end': it was cut", "'end'"},
      {head + "end \n", 3, 4, "a space stands behind 'end'", "the end of the line"},
      {head + "end \nend\n", 3, 4, "a space stands behind 'end'", "the end of the line"},
      {head + "end\n\nirq_enter()\n", 5, 1, "'irq_enter()' stands behind 'end'",
       "the end of the file"},
      {head + "end\nend\n", 4, 1, "'end' stands behind 'end'", "the end of the file"},
      {head + machine + "end\n", 3, 1, "no operation stands here", "an operation"},
      {head + "expect \nend\n", 3, 8, "bad expectation ''", "a subject and a rule"},
      {head + "expect mutant:m\nend\n", 3, 8, "bad expectation 'mutant:m'", "a subject"},
      {head + "expect mutant:m \nend\n", 3, 8, "bad expectation", "a subject and a rule"},
      {head + "expect mutant:m A-B c\nend\n", 3, 8, "bad expectation", "a subject and a rule"},
      {head + "irq_enter()\nexpect m A-B\nend\n", 4, 1, "no operation stands here", "an operation"},
  };
  expect_errors(table);
}

TEST(Trace, a_wrong_machine_line_is_an_error_with_line_and_column) {
  const auto line = [](const std::string& text) {
    return "allocheck 1\nmachine " + text + "\nend\n";
  };
  const std::string era = "era=linux-6.1 ", zone = "NAME[/node][@first_pfn]:pages";
  const Bad table[] = {
      {line("era=linux-2.4 zones=NORMAL:64"), 2, 13, "unknown era 'linux-2.4'", "linux-2.6.11"},
      {line("zones=NORMAL:64"), 2, 24, "era is missing", "era=..."},
      {line("era=linux-6.1"), 2, 22, "zones is missing", "zones=..."},
      {line(era + "zones=NORMAL:64 "), 2, 38, "the line ends in a space", "a word"},
      {line(era + "zones="), 2, 29, "bad zone ''", zone},
      {line(era + "zones=NORMAL"), 2, 29, "bad zone 'NORMAL'", zone},
      {line(era + "zones=DMA:16,"), 2, 36, "bad zone ''", zone},
      {line(era + "zones=DMA:16,MOVABLE:64"), 2, 36, "unknown zone 'MOVABLE'", "DMA, NORMAL or"},
      {line(era + "zones=NORMAL:x"), 2, 36, "bad number 'x'", "a number from 0 to 4294967295"},
      {line(era + "zones=NORMAL:4294967296"), 2, 36, "bad number", "a number from 0 to"},
      {line(era + "zones=NORMAL@-1:64"), 2, 36, "bad number '-1'", "a number from 0 to"},
      {line(era + "zones=NORMAL:064"), 2, 36, "bad number '064'", "a number from 0 to"},
      {line(era + "zones=NORMAL/0:64"), 2, 29, "unknown zone 'NORMAL/0'", "DMA, NORMAL or"},
      {line(era + "zones=NORMAL/4:64"), 2, 29, "unknown zone 'NORMAL/4'", "DMA, NORMAL or"},
      {line(era + "zones=NORMAL:0"), 2, 29, "zones: zone NORMAL has no pages", "at least 1 page"},
      {line(era + "zones=DMA:8,DMA:8"), 2, 29, "zones: zone DMA is listed twice", "each zone"},
      {line(era + "cpus=9 zones=NORMAL:64"), 2, 28, "cpus: 9 cpus", "1 to 8"},
      {line(era + "zones=NORMAL:64 cpus=1 cpus=1"), 2, 46, "cpus is given twice", "each key once"},
      {line(era + "zones=NORMAL:64 cpu=1"), 2, 39, "unknown word 'cpu=1'", "key=value"},
      {line(era + "zones=NORMAL:64 fast"), 2, 39, "unknown word 'fast'", "key=value"},
      {line(era + "zones=NORMAL:64 pcp=yes"), 2, 43, "bad pcp 'yes'", "on or off"},
      {line(era + "zones=NORMAL:64 reserved=5"), 2, 48, "bad range '5'", "first-last"},
      {line(era + "zones=NORMAL:64 reserved=5-"), 2, 50, "bad number ''", "a number from 0"},
      {line(era + "zones=NORMAL:64 reserved=5-4"), 2, 48, "reserved: range 5-4 runs backwards",
       "first-last"},
      {line(era + "zones=NORMAL:64 lowmem_reserve_ratio=1"), 2, 60, "bad ratios '1'",
       "two numbers"},
      {line(era + "zones=NORMAL:64 lowmem_reserve_ratio=1,2,3"), 2, 60, "bad ratios '1,2,3'",
       "two numbers"},
      {"allocheck 1\nmachine era=linux-6.1 zones=NORMAL:64\r\nend\n", 2, 36, "bad number '64\\x0d'",
       "a number"},
  };
  expect_errors(table);
}

TEST(Trace, a_wrong_step_is_an_error_with_line_and_column) {
  const auto step = [](const std::string& text) { return head + text + "\nend\n"; };
  const std::string number = "a number from 0 to ", flag = "a gfp flag of linux-6.1";
  const Bad table[] = {
      {step("give"), 3, 1, "no operation stands here", "an operation"},
      {step("steal(page=p0)"), 3, 1, "unknown operation 'steal'", "one that"},
      {step("p1 = steal(page=p0)"), 3, 6, "unknown operation 'steal'", "one that"},
      {step(" irq_enter()"), 3, 1, "unknown operation ' irq_enter'", "one that"},
      {step("irq_enter() "), 3, 11, "') ' stands behind the last argument", "')' and the end"},
      {step("irq_enter()\r"), 3, 11, "')\r' stands behind the last argument", "')' and the end"},
      {step("irq_enter(page=p0)"), 3, 11, "'page=p0)' stands behind the last", "')' and the end"},
      {step("irq_enter("), 3, 11, "'' stands behind the last argument", "')' and the end"},
      {step("p64 = take(order=0, gfp=0)"), 3, 1, "bad register 'p64'", "a register p0 to p63"},
      {step("p01 = take(order=0, gfp=0)"), 3, 1, "bad register 'p01'", "a register p0 to p63"},
      {step("q1 = take(order=0, gfp=0)"), 3, 1, "bad register 'q1'", "a register p0 to p63"},
      {step("p0= take(order=0, gfp=0)"), 3, 1, "unknown operation 'p0= take'", "one that"},
      {step("take(order=0, gfp=0)"), 3, 1, "the result goes nowhere", "a register in front"},
      {step("p0 = give(page=p0, bytes=1)"), 3, 1, "give has no result", "no register in front"},
      {step("p0 = take(order=16, gfp=0)"), 3, 17, "bad order '16'", number + "15"},
      {step("p0 = take(order=-1, gfp=0)"), 3, 17, "bad order '-1'", number + "15"},
      {step("p0 = take(order=+1, gfp=0)"), 3, 17, "bad order '+1'", number + "15"},
      {step("p0 = take(order=0x1, gfp=0)"), 3, 17, "bad order '0x1'", number + "15"},
      {step("p0 = take(order=, gfp=0)"), 3, 17, "bad order ''", number + "15"},
      {step("p0 = take(order=0, gfp=GFP_KERNAL)"), 3, 24, "bad gfp 'GFP_KERNAL'", flag},
      {step("p0 = take(order=0, gfp=__GFP_COLD)"), 3, 24, "bad gfp '__GFP_COLD'", flag},
      {step("p0 = take(gfp=0, order=0)"), 3, 11, "unexpected 'gfp=0, order=0)'", "'order='"},
      {step("p0 = take(order=0)"), 3, 18, "unexpected ')'", "', gfp='"},
      {step("p0 = take(order=0"), 3, 18, "the line ends here", "', gfp='"},
      {step("p0 = take(order=0,gfp=0)"), 3, 18, "unexpected ',gfp=0)'", "', gfp='"},
      {step("p0 = take(order=0, gfp=0, gfp=0)"), 3, 25, "', gfp=0)' stands behind", "')'"},
      {step("give(page=p0, bytes=18446744073709551616)"), 3, 21, "bad bytes",
       number + "18446744073709551615"},
      {step("tune(zone=normal, on=1)"), 3, 11, "bad zone 'normal'", "DMA, NORMAL or HIGHMEM"},
      {step("tune(zone=DMA, on=2)"), 3, 19, "bad on '2'", number + "1"},
      {step("set_task_flags(flags=PF_X)"), 3, 22, "bad flags 'PF_X'", "0, or of PF_MEMALLOC"},
      {step("@nowhere irq_enter()"), 3, 1, "unknown yield point '@nowhere'", "a yield point, one"},
      {step("@buddy.pcp.locked"), 3, 18, "no operation stands here", "an operation"},
      {step("@buddy.pcp.locked irq_leave()"), 3, 19, "unknown operation 'irq_leave'", "one that"},
      {step("@buddy.pcp.locked irq_enter() -> okay"), 3, 34, "bad answer 'okay'", "an answer: pfn"},
      {step("irq_enter() -> pfn"), 3, 16, "bad answer 'pfn'", "an answer: pfn N"},
      {step("irq_enter() -> ok -> ok"), 3, 16, "bad answer 'ok -> ok'", "an answer: pfn N"},
      {step("irq_enter()-> ok"), 3, 11, "')-> ok' stands behind", "')' and the end"},
      {step("irq_enter() irq_enter()"), 3, 11, "') irq_enter()' stands behind", "')'"},
  };
  expect_errors(table);
}

TEST(Trace, gfp_names_are_those_of_the_machines_era) {
  const std::string old = "allocheck 1\nmachine era=linux-2.6.11 zones=NORMAL:64\n";
  EXPECT_TRUE(parse(old + "p0 = take(order=0, gfp=__GFP_COLD)\nend\n"));
  const auto wrong = parse(old + "p0 = take(order=0, gfp=__GFP_MEMALLOC)\nend\n");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().expected, "a gfp flag of linux-2.6.11");
}

TEST(Trace, a_file_of_twenty_megabytes_is_no_trace) {
  std::string text = head;
  while (text.size() <= 20'000'000) text += "# " + std::string(998, 'x') + "\n";
  const auto trace = parse(text + "end\n");
  ASSERT_FALSE(trace);
  EXPECT_EQ(trace.error().what, "the file has " + std::to_string(text.size() + 4) + " bytes");
  EXPECT_EQ(trace.error().expected, "at most 16777216");
}

TEST(Trace, more_than_a_million_steps_are_no_trace) {
  std::string text = head;
  for (std::size_t i = 0; i <= trace_steps_max; ++i) text += "cpu(id=0)\n";
  const auto trace = parse(text + "end\n");
  ASSERT_FALSE(trace);
  EXPECT_EQ(trace.error().line, trace_steps_max + 3);
  EXPECT_EQ(trace.error().what, "too many steps");
}

// A text cut anywhere is an error, but for the newline behind `end`.
TEST(Trace, a_cut_file_is_never_half_read) {
  const std::string text =
      head + "p0 = take(order=3, gfp=GFP_KERNEL) -> pfn 16\nirq_enter()\nend\n";
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    EXPECT_FALSE(parse(text.substr(0, i)) && i != text.size() - 1) << text.substr(0, i);
  EXPECT_TRUE(parse(text));
}

}  // namespace
}  // namespace props
