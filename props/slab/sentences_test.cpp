// The slab allocator's table of sentences, held against its sheet, rules and page.
#include "props/slab/sentences.hpp"

#include "props/core/sentence_tests.hpp"
#include "props/slab/rules.hpp"

namespace props::slab {
namespace {

[[maybe_unused]] const bool registered = register_sentence_tests({
    .suite = "SlabSentences",
    .page = "props/slab/SENTENCES.md",
    .sentences = sentences,
    .text = sentences_page,
    .rules = rules,
    .numbers = {{"S", 1, 11}, {"S", 20, 29}, {"S", 30, 35}, {"S", 40, 43}, {"SI", 1, 1}},
    .reasons = {"SLUB internals", "KASAN", "tags", "usercopy", "5.17 only"},
    .held_by_nothing = {"S-29"},
    .other_rules = {"OBJECT-BULK", "SLAB-GENERAL", "SLAB-CANONICAL"},
});

}  // namespace
}  // namespace props::slab
