// Joins the table of sentences, and says what its page is.
#include "props/slab/sentences.hpp"

namespace props::slab {
namespace {

constexpr std::string_view introduction =
    "# Which rule or test holds each sentence\n"
    "\n"
    "The reference slab allocator was written from a sheet of numbered facts about two kernels,\n"
    "Linux 2.6.11 and the SLAB of Linux 6.1 (its source at 6.1.192). This page maps each fact to\n"
    "the rule that judges it, or to the test that works it out by hand. `CAPITALS` are rules, see\n"
    "`rules.cpp`; `Suite.name` are tests beside it. It is generated from `sentences*.cpp`; the\n"
    "test `SlabSentences.the_page_is_what_the_table_says` compares, and tells how to renew it.\n"
    "\n"
    "*Assumed* is what the 2.6.11 era does where nothing is known of that kernel. *Not modelled*\n"
    "gives one of the reasons that are allowed; *elsewhere* names what speaks of another kernel\n"
    "or configuration than the two eras, which is not behaviour that they could have.\n"
    "\n";

}  // namespace

std::span<const Sentence> sentences() {
  static const std::vector<Sentence> all = [] {
    std::vector<Sentence> joined_rows;
    for (const auto part :
         {creation_sentences(), list_sentences(), content_sentences(), ending_sentences()})
      joined_rows.insert(joined_rows.end(), part.begin(), part.end());
    return joined_rows;
  }();
  return all;
}

std::string sentences_page() { return props::sentences_page(introduction, sentences()); }

}  // namespace props::slab
