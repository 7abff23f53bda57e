// The page allocator's table of sentences, held against its sheet, rules and page.
#include "props/buddy/sentences.hpp"

#include "props/buddy/world.hpp"
#include "props/core/sentence_tests.hpp"

namespace props::buddy {
namespace {

[[maybe_unused]] const bool registered = register_sentence_tests({
    .suite = "Sentences",
    .page = "props/buddy/SENTENCES.md",
    .sentences = sentences,
    .text = sentences_page,
    .rules = rules,
    .numbers = {{"B", 1, 8},
                {"B", 10, 15},
                {"B", 20, 27},
                {"B", 30, 44},
                {"P", 1, 9},
                {"P", 20, 23},
                {"W", 1, 16},
                {"BI", 1, 1}},
    .reasons = {"migratetypes", "pageblocks", "isolation", "HIGHATOMIC", "page_frag",
                "memory failure", "reclaim and OOM", "5.17 only"},
    .held_by_nothing = {"B-12", "B-13", "B-44", "P-22", "W-7", "W-16"},
    .other_rules = {"BUDDY-CANONICAL", "ZONE-GEOMETRY", "CONTEXT-LEGAL"},
});

}  // namespace
}  // namespace props::buddy
