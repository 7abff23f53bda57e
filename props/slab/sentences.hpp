// sentences: what is known of the kernels' slab allocators, and which rule or test holds us to it.
//
//   S-25   an object goes back to ...   SLAB-LISTED, SLAB-ORDERED, Slab...   assumed, notes
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

namespace props::slab {

// The only reasons for which a part of a sentence may stay out of the model.
enum class Outside : std::uint8_t { slub_internals, kasan, tags, usercopy, only_5_17 };
inline constexpr std::array<std::string_view, 5> outside_names{"SLUB internals", "KASAN", "tags",
                                                               "usercopy", "5.17 only"};

struct NotModelled {
  Outside reason;
  std::string_view what;
};

struct Sentence {
  std::string_view id;                   // "S-25"
  std::string_view what;                 // in our words
  std::vector<std::string_view> covers;  // ids of rules, and tests as "Suite.name"
  std::vector<NotModelled> not_modelled{};
  std::string_view assumed{};    // for 2.6.11, where nothing is known
  std::string_view elsewhere{};  // of other kernels or configurations than the two eras
  std::string_view note{};       // where the kernel's source, or we, say otherwise
};

// In the order of the sheet.
std::span<const Sentence> sentences();
std::span<const Sentence> creation_sentences();  // S-1 to S-11
std::span<const Sentence> list_sentences();      // S-20 to S-29
std::span<const Sentence> content_sentences();   // S-30 to S-35
std::span<const Sentence> ending_sentences();    // S-40 to S-43, SI-1

// The table as Markdown: the text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::slab
