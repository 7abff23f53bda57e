// answers: what is known of questions that were asked, kept in a file while a minimizer works.
//
//   minimizer ──question──▶ known? ──no──▶ child runs it ──▶ a line behind the others
//                             └──yes─▶ its answer, as when it was run
//
// A minimizer decides by answers and by nothing else, so going on after an interrupt is beginning
// again with the answers that are known: the same decisions, the same result. A line is written at
// once and whole; one that was cut by a kill is dropped. Even a state of another build does no
// harm beside wrong answers, and the last trace is run anew before anybody hears of it.
//
//   allocheck minimizing 1
//   trace 142                                           so many bytes of it follow
//   ...
//   0123456789abcdef0123456789abcdef 12 BUDDY-COALESCED  a question's fingerprint, its answer
#pragma once
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fuzz/engine/process.hpp"
#include "ref/core/arena.hpp"

namespace fuzz {

// 128 bits of a text, the same with every compiler and on every machine.
ref::core::Hash fingerprint(std::string_view);

// Of 32 hex digits, as hex_of writes them.
std::optional<ref::core::Hash> hash_of_hex(std::string_view);

struct HashOfHash {
  std::size_t operator()(const ref::core::Hash& h) const { return h.low; }
};

class AnswerBook {
 public:
  // Opens the file, or makes it. `trace` is what is minimized; "": the one that the file holds. The
  // error says why not.
  static std::expected<AnswerBook, std::string> open(const std::filesystem::path&,
                                                     std::string_view trace);

  const std::string& trace() const { return trace_; }
  std::size_t known() const { return answers_.size(); }
  const std::string* find(const ref::core::Hash& question) const;
  // One line, without its end.
  void add(const ref::core::Hash& question, std::string answer);
  // Why a line could not be written; "" normally.
  const std::string& error() const { return error_; }

 private:
  bool read(std::string_view text);

  std::string trace_, error_;
  Fd file_;
  std::unordered_map<ref::core::Hash, std::string, HashOfHash> answers_;
};

}  // namespace fuzz
