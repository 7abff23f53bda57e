// sentences: what is known of the kernels' kmalloc, and which rule or test holds us to it.
#pragma once
#include "props/core/sentence.hpp"

namespace props::kmalloc {

// In the order of the sheet.
std::span<const Sentence> sentences();

// The text of SENTENCES.md.
std::string sentences_page();

}  // namespace props::kmalloc
