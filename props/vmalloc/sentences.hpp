// sentences: what is known of the kernels' vmalloc, ioremap and /proc/vmallocinfo, and which rule
// or test holds us to it.
//
//   V-25   vfree of an address ...   VMALLOC-MISUSE, Vfree.null_is_...   assumed, notes
//
// The ids are those of the sheet of kernel facts that the reference was written from; the words are
// ours. A test keeps the table complete, its rules and tests real, and its page up to date.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace props::vmalloc {

// The only reasons for which a part of a sentence may stay out of the model.
enum class Outside : std::uint8_t { huge, kasan, memcg, threads, physical, only_5_17 };
inline constexpr std::array<std::string_view, 6> outside_names{
    "huge mappings", "KASAN", "memcg", "threads", "physical width", "5.17 only"};

struct NotModelled {
  Outside reason;
  std::string_view what;
};

struct Sentence {
  std::string_view id;                   // "V-7"
  std::string_view what;                 // in our words
  std::vector<std::string_view> covers;  // ids of rules, and tests as "Suite.name"
  std::vector<NotModelled> not_modelled{};
  std::string_view assumed{};    // for 2.6.11, where nothing is known or the call is younger
  std::string_view elsewhere{};  // of other kernels, configurations or rows
  std::string_view note{};       // where the kernel's source, or we, say otherwise
};

// In the order of the sheet.
std::span<const Sentence> sentences();

// The table as Markdown: the text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::vmalloc
