// Joins the table of sentences, and says what its page is.
#include "props/buddy/sentences.hpp"

namespace props::buddy {
namespace {

constexpr std::string_view introduction =
    "# Which rule or test holds each sentence\n"
    "\n"
    "The reference page allocator was written from a sheet of numbered facts about two kernels,\n"
    "Linux 2.6.11 and Linux 6.1 (its source at 6.1.192). This page maps each fact to the rule "
    "that\n"
    "judges it, or to the test that works it out by hand. `CAPITALS` are rules, see `rules.cpp`;\n"
    "`Suite.name` are tests beside it. It is generated from `sentences*.cpp`; the test\n"
    "`Sentences.the_page_is_what_the_table_says` compares, and tells how to renew it.\n"
    "\n"
    "*Assumed* is what the 2.6.11 era does where nothing is known of that kernel, or where the\n"
    "contract was taken instead of a bug of its time. *Not modelled* gives one of the reasons "
    "that\n"
    "are allowed; *elsewhere* names what speaks of another kernel or configuration than the two\n"
    "eras, which is not behaviour that they could have.\n"
    "\n";

}  // namespace

std::span<const Sentence> sentences() {
  static const std::vector<Sentence> all = [] {
    std::vector<Sentence> joined_rows(block_sentences().begin(), block_sentences().end());
    joined_rows.insert(joined_rows.end(), limit_sentences().begin(), limit_sentences().end());
    return joined_rows;
  }();
  return all;
}

std::string sentences_page() { return props::sentences_page(introduction, sentences()); }

}  // namespace props::buddy
