// sentences: what is known of the kernels' maps of high memory, and which rule or test holds us to
// it.
//
//   M-6   kunmap needs a page that ...   KMAP-FAULT, KMAP-WAKES, Pkmap...   assumed, notes
//
// The ids are those of the sheet of kernel facts that the reference was written from; the words are
// ours. A test keeps the table complete, its rules and tests real, and the page that is generated
// from it up to date.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace props::kmap {

struct Sentence {
  std::string_view id;                   // "M-6"
  std::string_view what;                 // in our words
  std::vector<std::string_view> covers;  // ids of rules, and tests as "Suite.name"
  std::string_view assumed{};            // for 2.6.11, where nothing is known
  std::string_view elsewhere{};          // of other kernels or configurations than the two eras
  std::string_view note{};               // where the kernel's source, or we, say otherwise
};

// In the order of the sheet.
std::span<const Sentence> sentences();
std::vector<Sentence> slot_sentences();       // M-1 to M-6
std::vector<Sentence> address_sentences();    // M-7 to M-10
std::vector<Sentence> temporary_sentences();

// The table as Markdown: the text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::kmap
