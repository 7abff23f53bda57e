// Writes findings so that neither a full disk nor a killed process leaves half a file.
#include "fuzz/engine/failures.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "fuzz/engine/process.hpp"

namespace fuzz {
namespace fs = std::filesystem;
namespace {

std::string failed(std::string_view what, const fs::path& path) {
  const int error = errno;
  return fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error));
}

std::string failed(std::string_view what, const fs::path& path, const std::error_code& error) {
  return fmt::format("cannot {} {}: {}", what, path.string(), error.message());
}

// A new name is on the disk only when its directory is.
std::optional<std::string> sync_directory(const fs::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open() || ::fsync(fd.get()) != 0) return failed("sync", directory);
  return std::nullopt;
}

std::optional<std::string> write_and_sync(const fs::path& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.open()) return failed("create", path);
  if (!write_all(fd.get(), text)) return failed("write", path);
  // A device has nothing to sync, and says so.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return failed("sync", path);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> write_durably(const fs::path& path, std::string_view text) {
  std::error_code error;
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const auto status = fs::status(path, error);
  // A device or a pipe is written to, not replaced.
  if (fs::exists(status) && !fs::is_regular_file(status)) return write_and_sync(path, text);
  const fs::path aside = fmt::format("{}.{}.new", path.string(), ::getpid());
  auto bad = write_and_sync(aside, text);
  if (!bad && ::rename(aside.c_str(), path.c_str()) != 0) bad = failed("rename", aside);
  if (!bad) return sync_directory(directory);
  ::unlink(aside.c_str());
  return bad;
}

std::string short_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, folded
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return fmt::format("{:08x}", static_cast<std::uint32_t>(hash ^ (hash >> 32)));
}

std::optional<std::string> Failures::prepare() const {
  std::error_code error;
  fs::create_directories(root_, error);
  if (error) return failed("create", root_, error);
  const fs::path trial = root_ / fmt::format(".trial-{}", ::getpid());
  if (auto bad = write_durably(trial, "can this be written?\n")) return bad;
  fs::remove(trial, error);
  return std::nullopt;
}

std::expected<fs::path, std::string> Failures::store(std::string_view rule,
                                                     std::string_view trace) const {
  const fs::path directory = root_ / fmt::format("{}-{}", rule, short_hash(trace));
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return std::unexpected(failed("create", directory, error));
  if (fs::exists(directory / "found.trace", error)) return directory;
  if (auto bad = write_durably(directory / "found.trace", trace)) return std::unexpected(*bad);
  if (auto bad = sync_directory(root_)) return std::unexpected(*bad);
  return directory;
}

std::expected<fs::path, std::string> Failures::rename(const fs::path& directory,
                                                      std::string_view rule,
                                                      std::string_view minimized) const {
  const fs::path wanted = root_ / fmt::format("{}-{}", rule, short_hash(minimized));
  std::error_code error;
  if (directory == wanted) return wanted;
  if (fs::exists(wanted / "found.trace", error)) {
    fs::remove_all(directory, error);
    return wanted;
  }
  fs::rename(directory, wanted, error);
  if (error) return std::unexpected(failed("rename", directory, error));
  if (auto bad = sync_directory(root_)) return std::unexpected(*bad);
  return wanted;
}

}  // namespace fuzz
