// failures: where findings lie, one directory each, and files that are there wholly or not at all.
//
//   failures/BUDDY-COALESCED-1f0c3a77/   found.trace      at once, before anything else is done
//                                        minimized.trace  explain.md  report.json
//
// A name ends in a hash of the trace, so the same finding comes to the same directory in every
// search.
#pragma once
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

// Writes aside, syncs, renames. The error says what could not be done, and why.
std::optional<std::string> write_durably(const std::filesystem::path&, std::string_view text);

// 8 hex digits.
std::string short_hash(std::string_view text);

class Failures {
 public:
  explicit Failures(std::filesystem::path root) : root_(std::move(root)) {}

  // Makes the directory and tries to write there.
  std::optional<std::string> prepare() const;
  // Stores what a search found. The directory.
  std::expected<std::filesystem::path, std::string> store(std::string_view rule,
                                                          std::string_view trace) const;
  // Gives a directory of `store` the name that its minimized trace deserves. When there is one of
  // that name already, it is the same finding: then that one stays and the new one is removed.
  std::expected<std::filesystem::path, std::string> rename(const std::filesystem::path& directory,
                                                           std::string_view rule,
                                                           std::string_view minimized) const;
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace fuzz
