// sentences: what is known of the kernels' page allocators, and which rule or test holds us to it.
//
//   B-33   a shared block gives up ...   PAGE-COUNT, BuddyFree.a_shared_block_...   assumed, notes
//
// The ids are those of the sheet of kernel facts that the reference was written from; the words are
// ours. A test keeps the table complete, its rules and tests real, and the page that is generated
// from it up to date.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace props::buddy {

// The only reasons for which a part of a sentence may stay out of the model.
enum class Outside : std::uint8_t {
  migratetypes,
  pageblocks,
  isolation,
  highatomic,
  page_frag,
  memory_failure,
  reclaim_and_oom,  // beyond suspending the task
  only_5_17,
};
inline constexpr std::array<std::string_view, 8> outside_names{
    "migratetypes", "pageblocks",     "isolation",       "HIGHATOMIC",
    "page_frag",    "memory failure", "reclaim and OOM", "5.17 only"};

struct NotModelled {
  Outside reason;
  std::string_view what;
};

struct Sentence {
  std::string_view id;                   // "B-33"
  std::string_view what;                 // in our words
  std::vector<std::string_view> covers;  // ids of rules, and tests as "Suite.name"
  std::vector<NotModelled> not_modelled{};
  std::string_view assumed{};    // for 2.6.11, where nothing is known or a bug of that time is left
                                 // to the mutants
  std::string_view elsewhere{};  // of other kernels or configurations than the two eras
  std::string_view note{};       // where the kernel's source, or we, say otherwise
};

// In the order of the sheet.
std::span<const Sentence> sentences();
std::span<const Sentence> block_sentences();  // B-
std::span<const Sentence> limit_sentences();  // P-, W- and BI-

// The table as Markdown: the text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::buddy
