// Converts a corpus file by file, in memory for one file at a time.
#define XXH_INLINE_ALL
#include "fuzz/cli/corpus_verb.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <filesystem>

#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/input.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/new_file.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/progress.hpp"
#include "fuzz/engine/layers.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t errors_in_json = 100;  // the rest is on stderr only

std::string hash_name(std::string_view content) {
  const XXH128_hash_t hash = XXH3_128bits(content.data(), content.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

// What a text says that bytes cannot.
struct Lost {
  std::size_t answers = 0, comments = 0, expectations = 0;
};

std::size_t answers_of(std::string_view canonical) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < canonical.size();) {
    const std::size_t end = std::min(canonical.find('\n', at), canonical.size());
    const std::string_view line = canonical.substr(at, end - at);
    count += !line.starts_with('#') && line.find(" -> ") != line.npos ? 1u : 0u;
    at = end + 1;
  }
  return count;
}

class Conversion {
 public:
  Conversion(const CorpusOptions& options, const fuzz::Layer& layer)
      : options_(options), layer_(layer), packs_(options.what == corpus_tasks[0].name) {}

  int run();

 private:
  struct Converted {
    std::string content, name;
  };
  std::expected<Converted, InputError> pack(const std::string& file);
  std::expected<Converted, InputError> unpack(const std::string& file) const;
  std::optional<InputError> convert(const std::string& file);
  std::optional<InputError> store(const Converted&, const std::string& file);
  void refuse(const InputError&);
  void sync() const;
  int sum_up(std::size_t done) const;

  const CorpusOptions& options_;
  const fuzz::Layer& layer_;
  const bool packs_;
  std::vector<std::string> files_;
  std::size_t written_ = 0, same_ = 0, refused_ = 0;
  Lost lost_;
  Json errors_ = Json::array();
  Progress progress_;
};

InputError error_of(const std::string& file, std::string what, std::string expected) {
  return {file, 0, 0, std::move(what), std::move(expected)};
}

std::expected<Conversion::Converted, InputError> Conversion::pack(const std::string& file) {
  const auto text = read_input(file);
  if (!text) return std::unexpected(text.error());
  const fuzz::Layer& layer = fuzz::layer_of_trace(*text);
  const auto info = layer.inspect(*text);
  if (!info) return std::unexpected(at_place(file, info.error()));
  if (layer.name != layer_.name)
    return std::unexpected(error_of(file, fmt::format("a trace of layer {}", layer.name),
                                    fmt::format("one of {}: see --layer", layer_.name)));
  const auto bytes = layer.bytes_of_text(*text);
  if (bytes.size() > raw_bytes_max)
    return std::unexpected(error_of(file, fmt::format("{} bytes would come of it", bytes.size()),
                                    fmt::format("a trace of at most {}", raw_bytes_max)));
  lost_.answers += answers_of(layer.print_canonical(*text));
  lost_.comments += info->comments.size();
  lost_.expectations += info->expect ? 1u : 0u;
  std::string content(bytes.begin(), bytes.end());
  std::string name = hash_name(content);
  return Converted{std::move(content), std::move(name)};
}

std::expected<Conversion::Converted, InputError> Conversion::unpack(const std::string& file) const {
  const auto bytes = read_input(file, Form::bytes);
  if (!bytes) return std::unexpected(bytes.error());
  std::string text =
      layer_.text_of_bytes({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
  if (text.size() > props::trace_bytes_max)
    return std::unexpected(
        error_of(file, fmt::format("a text of {} bytes would come of it", text.size()),
                 fmt::format("an input whose text has at most {}", props::trace_bytes_max)));
  std::string name = hash_name(text) + ".trace";
  return Converted{std::move(text), std::move(name)};
}

std::optional<InputError> Conversion::store(const Converted& converted, const std::string& file) {
  const fs::path path = fs::path(options_.to) / converted.name;
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    const auto there = read_input(path.string(), packs_ ? Form::bytes : Form::text);
    if (there && *there == converted.content) {
      ++same_;
      return std::nullopt;
    }
    return error_of(file, fmt::format("{} is there with other content", path.string()),
                    "the file of that hash, or none");
  }
  const std::string bad = write_new_file(path.string(), converted.content, Sync::later);
  if (!bad.empty()) return error_of(file, bad, "room in " + options_.to);
  ++written_;
  return std::nullopt;
}

std::optional<InputError> Conversion::convert(const std::string& file) {
  const auto converted = packs_ ? pack(file) : unpack(file);
  if (!converted) return converted.error();
  return store(*converted, file);
}

void Conversion::refuse(const InputError& error) {
  progress_.clear();
  complain(error.text());
  ++refused_;
  if (errors_.size() < errors_in_json)
    errors_.push_back({{"file", printable(error.file)}, {"error", json_of(error)}});
}

// Once for all of them: for each by itself it would take most of the time.
void Conversion::sync() const {
  const int fd = open(options_.to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  if (syncfs(fd) != 0) note(fmt::format("{} could not be synced to the disk", options_.to));
  close(fd);
}

int Conversion::sum_up(std::size_t done) const {
  if (lost_.answers + lost_.comments + lost_.expectations > 0)
    note(
        fmt::format("bytes hold machine and steps only; {} answers, {} comments and {} expect "
                    "lines are in {} alone",
                    lost_.answers, lost_.comments, lost_.expectations, options_.from));
  if (options_.json) {
    Json json;
    json["what"] = options_.what;
    json["from"] = options_.from;
    json["to"] = options_.to;
    json["layer"] = layer_.name;
    json["files"] = files_.size();
    json["written"] = written_;
    json["same"] = same_;
    json["refused"] = refused_;
    json["lost"] = {{"answers", lost_.answers},
                    {"comments", lost_.comments},
                    {"expectations", lost_.expectations}};
    json["errors"] = errors_;
    json["interrupted"] = done < files_.size();
    say(dump(json));
  } else {
    say(fmt::format("{} written, {} there already, {} refused\n", written_, same_, refused_));
  }
  if (done < files_.size()) {
    complain(fmt::format("interrupted after {} of {} files; the same command goes on", done,
                         files_.size()));
    return exit_interrupted;
  }
  return refused_ == 0 ? exit_clean : exit_cannot_test;
}

int Conversion::run() {
  auto files = files_of({options_.from});
  if (!files) {
    complain(files.error().text());
    return exit_cannot_test;
  }
  files_ = std::move(*files);
  std::error_code error;
  fs::create_directories(options_.to, error);
  if (!error && !fs::is_directory(options_.to))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) {
    complain(fmt::format("{}: {}; expected a folder to write to", options_.to, error.message()));
    return exit_cannot_test;
  }
  notice_interrupts();
  std::size_t done = 0;
  for (; done < files_.size() && !interrupted(); ++done) {
    if (const auto bad = convert(files_[done])) refuse(*bad);
    if (done % 64 == 0)
      progress_.show(fmt::format("corpus {}  {} of {} files  {} refused", options_.what,
                                 grouped(done), grouped(files_.size()), grouped(refused_)));
  }
  progress_.clear();
  sync();
  return sum_up(done);
}

}  // namespace

int corpus_verb(const CorpusOptions& options) {
  const fuzz::Layer* layer =
      options.layer.empty() ? &fuzz::layers().front() : fuzz::find_layer(options.layer);
  REQUIRE(layer != nullptr);  // the command line checks the name
  return Conversion(options, *layer).run();
}

}  // namespace cli
