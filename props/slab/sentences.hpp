// sentences: what is known of the kernels' slab allocators, and which rule or test holds us to it.
#pragma once
#include "props/core/sentence.hpp"

namespace props::slab {

// In the order of the sheet.
std::span<const Sentence> sentences();
std::span<const Sentence> creation_sentences();  // S-1 to S-11
std::span<const Sentence> list_sentences();      // S-20 to S-29
std::span<const Sentence> content_sentences();   // S-30 to S-35
std::span<const Sentence> ending_sentences();    // S-40 to S-43, SI-1

// The text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::slab
