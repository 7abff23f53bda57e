// Writes a file aside and puts it in place.
#include "fuzz/cli/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace cli {
namespace {

std::string because(std::string_view what, const std::string& path) {
  return fmt::format("{}: {}: {}", path, what, std::generic_category().message(errno));
}

bool write_whole(int fd, std::string_view text, Sync sync) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) return false;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  return sync == Sync::later || fsync(fd) == 0;
}

}  // namespace

std::string write_new_file(const std::string& path, std::string_view text, Sync sync) {
  const std::string aside = fmt::format("{}.{}.part", path, getpid());
  const int fd = open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return because("cannot be written", aside);
  std::string error;
  if (!write_whole(fd, text, sync)) error = because("cannot be written", aside);
  if (close(fd) != 0 && error.empty()) error = because("cannot be written", aside);
  // Unlike a rename, a link never replaces what is there.
  if (error.empty() && link(aside.c_str(), path.c_str()) != 0)
    error = because("cannot be made", path);
  unlink(aside.c_str());
  return error;
}

}  // namespace cli
