// Tests that each answer has one spelling.
#include "props/core/answer.hpp"

#include <gtest/gtest.h>

namespace props {
namespace {

using ref::core::Fault;

TEST(Answer, has_one_spelling_each) {
  using Kind = Answer::Kind;
  const std::pair<std::string, Answer> table[] = {
      {"skipped", {Kind::skipped}},
      {"ok", {Kind::ok}},
      {"pfn 16", {Kind::pfn, 16}},
      {"refused", {Kind::refused}},
      {"suspended", {Kind::suspended}},
      {"count 0", {Kind::count, 0}},
      {"address 0xc0000000", {Kind::address, 0xc0000000}},
      {"address 0x0", {Kind::address, 0}},
      {"fault sleeping-in-atomic", {Kind::fault, 0, Fault::sleeping_in_atomic}},
      {"fault bad-zone-modifiers", {Kind::fault, 0, Fault::bad_zone_modifiers}},
      {"fault zero-highmem-atomic", {Kind::fault, 0, Fault::zero_highmem_atomic}},
      {"fault highmem-address", {Kind::fault, 0, Fault::highmem_address}},
      {"fault no-such-page", {Kind::fault, 0, Fault::no_such_page}},
      {"fault double-free", {Kind::fault, 0, Fault::double_free}},
      {"fault free-of-tail", {Kind::fault, 0, Fault::free_of_tail}},
      {"fault free-of-reserved", {Kind::fault, 0, Fault::free_of_reserved}},
      {"fault wrong-order", {Kind::fault, 0, Fault::wrong_order}},
      {"fault bad-page", {Kind::fault, 0, Fault::bad_page}},
      {"fault unreferenced", {Kind::fault, 0, Fault::unreferenced}},
      {"fault compound-page", {Kind::fault, 0, Fault::compound_page}},
  };
  for (const auto& [text, answer] : table) {
    EXPECT_EQ(print_answer(answer), text);
    const auto read = parse_answer(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, answer) << text;
  }
  for (const char* wrong : {"", " ", "Ok", "ok ", "ok 1", "pfn", "pfn ", "pfn 01", "pfn -1",
                            "pfn 0x10", "count x", "address 10", "address 0xC0000000", "address 0x",
                            "address 0x00", "fault", "fault double free", "refused now"})
    EXPECT_FALSE(parse_answer(wrong)) << wrong;
}

}  // namespace
}  // namespace props
