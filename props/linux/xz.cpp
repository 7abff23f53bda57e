// xz: the file, the magic, and liblzma behind the face of a ByteSource.
#include "props/linux/xz.hpp"

#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace props::recorded {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;
// `xz -9` needs 65 MiB to decompress; a stream that asks for more than this is refused.
constexpr std::uint64_t memory_max = 128ull << 20;

constexpr std::string_view readable = "the text of tracefs, plain or compressed with xz";

std::unexpected<Problem> refuse(std::string what) {
  return std::unexpected(Problem{0, 0, std::move(what), std::string(readable)});
}

class FileSource final : public ByteSource {
 public:
  FileSource(std::FILE* file, bool owned) : file_(file), owned_(owned) {}
  ~FileSource() override {
    if (owned_) std::fclose(file_);
  }
  std::expected<std::size_t, Problem> read(std::span<char> space) override {
    errno = 0;
    const std::size_t bytes = std::fread(space.data(), 1, space.size(), file_);
    if (bytes == 0 && std::ferror(file_) != 0)
      return refuse(fmt::format("cannot be read: {}", std::strerror(errno)));
    return bytes;
  }

 private:
  std::FILE* file_;
  bool owned_;
};

// Gives back the bytes that were read to see the magic, then the rest.
class Rejoined final : public ByteSource {
 public:
  Rejoined(std::string front, std::unique_ptr<ByteSource> rest)
      : front_(std::move(front)), rest_(std::move(rest)) {}
  std::expected<std::size_t, Problem> read(std::span<char> space) override {
    if (given_ == front_.size()) return rest_->read(space);
    const std::size_t bytes = front_.copy(space.data(), space.size(), given_);
    given_ += bytes;
    return bytes;
  }

 private:
  std::string front_;
  std::size_t given_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

std::string reason(lzma_ret code) {
  switch (code) {
    case LZMA_FORMAT_ERROR: return "the bytes after the xz stream are not another xz stream";
    case LZMA_DATA_ERROR: return "the xz stream is corrupt";
    case LZMA_BUF_ERROR: return "the xz stream is truncated";
    case LZMA_MEMLIMIT_ERROR:
      return fmt::format("decompressing needs more than {} MiB", memory_max >> 20);
    case LZMA_MEM_ERROR: return "there is no memory to decompress";
    case LZMA_OPTIONS_ERROR: return "the xz stream uses a filter this reader does not know";
    default: return fmt::format("the xz stream cannot be read (liblzma code {})", int{code});
  }
}

class XzSource final : public ByteSource {
 public:
  explicit XzSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)) {
    started_ = lzma_stream_decoder(&stream_, memory_max, LZMA_CONCATENATED);
  }
  ~XzSource() override { lzma_end(&stream_); }
  std::expected<std::size_t, Problem> read(std::span<char> space) override {
    if (started_ != LZMA_OK) return refuse(reason(started_));
    stream_.next_out = reinterpret_cast<std::uint8_t*>(space.data());
    stream_.avail_out = space.size();
    while (!finished_ && stream_.avail_out == space.size()) {
      if (auto fed = feed(); !fed) return std::unexpected(std::move(fed.error()));
      const lzma_ret code = lzma_code(&stream_, ended_ ? LZMA_FINISH : LZMA_RUN);
      finished_ = code == LZMA_STREAM_END;
      if (code != LZMA_OK && !finished_) return refuse(reason(code));
    }
    return space.size() - stream_.avail_out;
  }

 private:
  std::expected<void, Problem> feed() {
    if (stream_.avail_in != 0 || ended_) return {};
    auto bytes = packed_->read(input_);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(input_.data());
    stream_.avail_in = *bytes;
    ended_ = *bytes == 0;
    return {};
  }

  std::unique_ptr<ByteSource> packed_;
  std::vector<char> input_ = std::vector<char>(chunk_bytes);
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret started_ = LZMA_OK;
  bool ended_ = false;     // no packed bytes are left
  bool finished_ = false;  // the decoder saw the end of its last stream
};

struct Magic {
  std::string_view bytes;
  std::string_view name;
};
constexpr std::string_view xz_magic{
    "\xFD"
    "7zXZ\0",
    6};
constexpr std::array foreign_magics{
    Magic{{"\x1F\x8B", 2}, "gzip"},
    Magic{{"\x28\xB5\x2F\xFD", 4}, "zstd"},
    Magic{"BZh", "bzip2"},
    Magic{{"\x17\x08"
           "Dtracing",
           10},
          "trace-cmd (trace.dat)"},
};

}  // namespace

std::expected<std::unique_ptr<ByteSource>, Problem> open_recording(
    std::unique_ptr<ByteSource> bytes) {
  std::string front(10, '\0');
  std::size_t have = 0;
  while (have < front.size()) {
    auto more = bytes->read(std::span(front).subspan(have));
    if (!more) return std::unexpected(std::move(more.error()));
    if (*more == 0) break;
    have += *more;
  }
  front.resize(have);
  const bool packed = front.starts_with(xz_magic);
  for (const Magic& foreign : foreign_magics)
    if (front.starts_with(foreign.bytes)) return refuse(fmt::format("is {} data", foreign.name));
  std::unique_ptr<ByteSource> all = std::make_unique<Rejoined>(std::move(front), std::move(bytes));
  if (packed) return std::make_unique<XzSource>(std::move(all));
  return all;
}

std::expected<std::unique_ptr<ByteSource>, Problem> open_recording(const std::string& file) {
  std::FILE* opened = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (opened == nullptr) return refuse(fmt::format("cannot be opened: {}", std::strerror(errno)));
  return open_recording(std::make_unique<FileSource>(opened, file != "-"));
}

}  // namespace props::recorded
