// sentence: something that is known of the kernels, and which rule or test holds us to it.
//
//   B-33   a shared block gives up ...   PAGE-COUNT, BuddyFree.a_shared_block_...   assumed, notes
//
// The ids are those of the sheet of kernel facts that the reference was written from; the words are
// ours. Each row has a table; sentence_tests.hpp keeps it complete, its rules and tests real, and
// the page that is made of it up to date.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace props {

// Why a part of a sentence may stay out of the model. A row's test says which of them it allows; a
// row adds its own to this namespace.
namespace outside {
inline constexpr std::string_view slub_internals = "SLUB internals", kasan = "KASAN", tags = "tags",
                                  usercopy = "usercopy", only_5_17 = "5.17 only";
}  // namespace outside

struct NotModelled {
  std::string_view reason;  // one of namespace outside
  std::string_view what;
};

struct Sentence {
  std::string_view id;                   // "B-33"
  std::string_view what;                 // in our words
  std::vector<std::string_view> covers;  // ids of rules, and tests as "Suite.name"
  std::vector<NotModelled> not_modelled{};
  std::string_view assumed{};  // for 2.6.11, where nothing is known, the call is younger, or a bug
                               // of that time is left to the mutants
  std::string_view elsewhere{};  // of other kernels, configurations or rows
  std::string_view note{};       // where the kernel's source, or we, say otherwise
};

// The introduction, then the table as Markdown: the text of a row's SENTENCES.md.
std::string sentences_page(std::string_view introduction, std::span<const Sentence>);

}  // namespace props
