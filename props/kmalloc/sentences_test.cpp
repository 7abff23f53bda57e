// The table of sentences on kmalloc, held against its sheet, rules and page.
#include "props/kmalloc/sentences.hpp"

#include "props/core/sentence_tests.hpp"
#include "props/kmalloc/world.hpp"

namespace props::kmalloc {
namespace {

[[maybe_unused]] const bool registered = register_sentence_tests({
    .suite = "KmallocSentences",
    .page = "props/kmalloc/SENTENCES.md",
    .sentences = sentences,
    .text = sentences_page,
    .rules = rules,
    .numbers = {{"K", 1, 14}},
    .reasons = {"SLUB internals", "KASAN", "tags", "usercopy", "5.17 only"},
    .other_rules = {"KMALLOC-WAITS", "KMALLOC-SLEEP"},
});

}  // namespace
}  // namespace props::kmalloc
