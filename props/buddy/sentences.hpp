// sentences: what is known of the kernels' page allocators, and which rule or test holds us to it.
#pragma once
#include "props/core/sentence.hpp"

namespace props::outside {
inline constexpr std::string_view migratetypes = "migratetypes", pageblocks = "pageblocks",
                                  isolation = "isolation", highatomic = "HIGHATOMIC",
                                  page_frag = "page_frag", memory_failure = "memory failure";
inline constexpr std::string_view reclaim_and_oom = "reclaim and OOM";  // beyond suspending a task
}  // namespace props::outside

namespace props::buddy {

// In the order of the sheet.
std::span<const Sentence> sentences();
std::span<const Sentence> block_sentences();  // B-
std::span<const Sentence> limit_sentences();  // P-, W- and BI-

// The text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::buddy
