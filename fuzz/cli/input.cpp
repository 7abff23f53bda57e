// Reads files and walks folders.
#include "fuzz/cli/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include "fuzz/cli/output.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view trace_start = "allocheck ";
constexpr std::size_t sniffed_bytes = 4096;

class Descriptor {
 public:
  explicit Descriptor(const std::string& file) : fd_(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

InputError error_of(const std::string& file, std::string what, std::string expected) {
  return {file, 0, 0, std::move(what), std::move(expected)};
}

InputError system_error(const std::string& file, std::string_view expected) {
  return error_of(file, std::generic_category().message(errno), std::string(expected));
}

// Appends until `text` has `limit` bytes or the file ends. False: errno says why.
bool read_up_to(int fd, std::size_t limit, std::string& text) {
  while (text.size() < limit) {
    const std::size_t at = text.size();
    const std::size_t wanted = std::min<std::size_t>(limit - at, 1u << 20);
    text.resize(at + wanted);
    const ssize_t got = read(fd, text.data() + at, wanted);
    text.resize(at + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
  }
  return true;
}

std::string size_in_words(int fd) {
  struct stat status{};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    return fmt::format("the file has {} bytes", status.st_size);
  return "the input does not end";
}

bool counts_in_folder(const fs::path& path) {
  const std::string name = path.filename().string();
  return name != "README.md" && !name.starts_with('.');
}

std::optional<InputError> walk(const std::string& folder, std::vector<std::string>& files) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error), end;
  const std::size_t before = files.size();
  while (!error && entry != end) {
    const bool counts = counts_in_folder(entry->path());
    std::error_code ignored;  // what cannot be looked at is reported when it is read
    if (!counts && entry->is_directory(ignored)) entry.disable_recursion_pending();
    if (counts && entry->is_regular_file(ignored)) files.push_back(entry->path().string());
    entry.increment(error);
  }
  if (error) return error_of(folder, error.message(), "a folder that can be read");
  if (files.size() == before) return error_of(folder, "no file is in this folder", "traces");
  return std::nullopt;
}

}  // namespace

std::string InputError::text() const {
  const std::string place = line == 0 ? "" : fmt::format("{}:{}:", line, column);
  return fmt::format("{}:{} {}; expected {}", printable(file), place, printable(what, 300),
                     printable(expected, 600));
}

InputError at_place(std::string_view file, const props::TraceError& error) {
  return {std::string(file), error.line, error.column, error.what, error.expected};
}

std::expected<std::string, InputError> read_input(const std::string& file, Form form) {
  const Descriptor from(file);
  if (from.get() < 0) return std::unexpected(system_error(file, "a file that can be read"));
  std::string text;
  bool good = read_up_to(from.get(), sniffed_bytes, text);
  if (good && form == Form::text && !text.starts_with(trace_start)) return text;
  const std::size_t most = form == Form::bytes ? raw_bytes_max : props::trace_bytes_max;
  good = good && read_up_to(from.get(), most + 1, text);
  if (!good) return std::unexpected(system_error(file, "a file that can be read"));
  if (text.size() > most)
    return std::unexpected(
        error_of(file, size_in_words(from.get()), fmt::format("at most {}", most)));
  return text;
}

std::expected<std::vector<std::string>, InputError> files_of(
    const std::vector<std::string>& named) {
  std::vector<std::string> files;
  for (const std::string& name : named) {
    std::error_code ignored;
    if (!fs::is_directory(name, ignored)) {
      files.push_back(name);
      continue;
    }
    if (const auto bad = walk(name, files)) return std::unexpected(*bad);
  }
  std::ranges::sort(files);
  files.erase(std::ranges::unique(files).begin(), files.end());
  return files;
}

}  // namespace cli
