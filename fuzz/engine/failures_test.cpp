// Findings survive full disks and killed processes.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/engine/hunt.hpp"
#include "fuzz/engine/libfuzzer.hpp"
#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

namespace fs = std::filesystem;

class FailuresTest : public testing::Test {
 protected:
  FailuresTest() {
    std::string name = (fs::temp_directory_path() / "allocheck-test-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) root_ = name;
  }
  ~FailuresTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::vector<fs::path> entries(const fs::path& directory) {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(directory)) all.push_back(entry.path());
    std::ranges::sort(all);
    return all;
  }
  // What a child says on stderr.
  static std::string errors_of(const std::function<void()>& body) {
    Pipe errors = make_pipe();
    const pid_t child = spawn(body, errors.write.get());
    errors.write.close();
    std::string text;
    while (read_some(errors.read.get(), text)) {}
    wait_for(child);
    return text;
  }

  fs::path root_;
};

RunResult seen(std::string_view rule) {
  RunResult result;
  result.end = RunResult::End::violation;
  result.rule = rule;
  return result;
}

const std::string pair = toy::trace_text("p3 = put(value=70)\nnoise(loud=1)\np4 = put(value=7)\n");

TEST_F(FailuresTest, AFileIsThereWhollyOrNotAtAll) {
  EXPECT_EQ(write_durably(root_ / "a", "one"), std::nullopt);
  EXPECT_EQ(write_durably(root_ / "a", "two"), std::nullopt);
  EXPECT_EQ(read(root_ / "a"), "two");
  EXPECT_EQ(entries(root_).size(), 1u);
  const auto bad = write_durably(root_ / "absent" / "a", "three");
  ASSERT_TRUE(bad.has_value());
  EXPECT_NE(bad->find("cannot create"), std::string::npos) << *bad;
}

TEST_F(FailuresTest, AFullDeviceIsAnError) {
  ASSERT_TRUE(fs::exists("/dev/full"));
  const auto bad = write_durably("/dev/full", "text");
  ASSERT_TRUE(bad.has_value());
  EXPECT_NE(bad->find("No space left"), std::string::npos) << *bad;
}

TEST_F(FailuresTest, ADirectoryThatCannotBeWrittenIsNoticedBefore) {
  std::ofstream(root_ / "file") << "in the way";
  EXPECT_TRUE(Failures(root_ / "file").prepare().has_value());
  EXPECT_FALSE(Failures(root_ / "new" / "deep").prepare().has_value());
  EXPECT_TRUE(entries(root_ / "new" / "deep").empty());
}

TEST_F(FailuresTest, AFindingIsMinimizedAndNamedForItsMinimum) {
  const Failures failures(root_);
  Hunt hunt(failures, {});
  hunt.take(toy::row(), "swarm", pair, seen("TOY-PAIR"));
  hunt.count(toy::row(), "swarm", "TOY-PAIR", 10);
  ASSERT_EQ(entries(root_).size(), 1u);
  EXPECT_EQ(read(entries(root_)[0] / "found.trace"), pair);
  hunt.settle();
  ASSERT_EQ(hunt.catches().size(), 1u);
  const Catch& one = hunt.catches().front();
  EXPECT_TRUE(one.reproduced);
  EXPECT_EQ(one.steps, 2u);
  EXPECT_EQ(one.count, 11u);
  EXPECT_EQ(one.directory, root_ / ("TOY-PAIR-" + short_hash(one.minimized)));
  EXPECT_EQ(entries(root_), std::vector<fs::path>{one.directory});
  EXPECT_EQ(read(one.directory / "found.trace"), pair);
}

TEST_F(FailuresTest, FindingsWithTheSameMinimumAreOne) {
  const Failures failures(root_);
  int told = 0;
  Hunt::Options options;
  options.settled = [&](const Catch&) { return ++told, std::nullopt; };
  Hunt hunt(failures, options);
  hunt.take(toy::row(), "swarm", pair, seen("TOY-PAIR"));
  hunt.take(toy::row(), "swarm", toy::trace_text("p9 = put(value=8)\np4 = put(value=9)\n"),
            seen("TOY-PAIR"));
  EXPECT_EQ(entries(root_).size(), 2u);
  hunt.settle();
  ASSERT_EQ(hunt.catches().size(), 1u);
  EXPECT_EQ(hunt.catches().front().count, 2u);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(entries(root_).size(), 1u);
}

TEST_F(FailuresTest, TheSameFindingOfALaterSearchLeavesTheFirstOnesFiles) {
  const Failures failures(root_);
  for (const std::string& trace :
       {pair, toy::trace_text("p9 = put(value=8)\np4 = put(value=9)\n")}) {
    Hunt hunt(failures, {});
    hunt.take(toy::row(), "swarm", trace, seen("TOY-PAIR"));
    hunt.settle();
    EXPECT_TRUE(hunt.error().empty()) << hunt.error();
  }
  ASSERT_EQ(entries(root_).size(), 1u);
  EXPECT_EQ(read(entries(root_)[0] / "found.trace"), pair);
}

TEST_F(FailuresTest, AtMostThreeTracesOfARuleAreKept) {
  const Failures failures(root_);
  Hunt::Options options;
  options.interrupted = [] { return true; };  // so that all stay different
  Hunt hunt(failures, options);
  for (int i = 0; i < 6; ++i)
    hunt.take(toy::row(), "swarm",
              toy::trace_text("p1 = put(value=7" + std::to_string(i) + ")\np4 = put(value=9)\n"),
              seen("TOY-PAIR"));
  hunt.settle();
  EXPECT_EQ(hunt.catches().size(), Hunt::traces_per_rule);
  EXPECT_EQ(entries(root_).size(), Hunt::traces_per_rule);
  std::uint64_t count = 0;
  for (const Catch& one : hunt.catches()) count += one.count;
  EXPECT_EQ(count, 6u);
}

TEST_F(FailuresTest, WhatDoesNotHappenAgainIsKeptWithANote) {
  const Failures failures(root_);
  Hunt hunt(failures, {});
  hunt.take(toy::row(), "libfuzzer", toy::trace_text("noise(loud=1)\n"), seen("RUN-CRASH"));
  hunt.settle();
  ASSERT_EQ(hunt.catches().size(), 1u);
  EXPECT_FALSE(hunt.catches().front().reproduced);
  EXPECT_NE(hunt.catches().front().note.find("breaks nothing"), std::string::npos);
  EXPECT_TRUE(fs::exists(hunt.catches().front().directory / "found.trace"));
}

TEST_F(FailuresTest, AKilledSearchHasStoredItsFirstFinding) {
  Pipe alive = make_pipe(), errors = make_pipe();
  const pid_t parent = spawn(
      [&] {
        toy::draws_pairs = true;
        const Failures failures(root_);
        Hunt hunt(failures, {});
        SwarmOptions options;
        options.found = [&](const SwarmFinding& f) {
          hunt.take(toy::row(), "swarm", toy::row().text_of_bytes(f.bytes), f.result);
          ::kill(::getpid(), SIGKILL);
        };
        swarm<toy::Layer>(options);
      },
      errors.write.get());
  alive.write.close();
  EXPECT_TRUE(WIFSIGNALED(wait_for(parent)));
  // The worker held the write end too; it is gone when the read ends.
  EXPECT_TRUE(toy::ends_soon(alive.read.get()));
  ASSERT_EQ(entries(root_).size(), 1u);
  const auto replay = toy::row().run(read(entries(root_)[0] / "found.trace"), true, {});
  ASSERT_TRUE(replay.has_value());
  EXPECT_EQ(replay->rule, "TOY-PAIR");
}

TEST_F(FailuresTest, OnAFullDiskTheTraceGoesToStderr) {
  const Failures failures(root_);
  const std::string errors = errors_of([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{0, 0};  // no file may grow: as full as a disk can be
    ::setrlimit(RLIMIT_FSIZE, &none);
    Hunt hunt(failures, {});
    hunt.take(toy::row(), "swarm", pair, seen("TOY-PAIR"));
    if (hunt.error().empty()) std::fputs("no error was seen", stderr);
  });
  EXPECT_NE(errors.find(pair), std::string::npos) << errors;
  EXPECT_NE(errors.find("cannot write"), std::string::npos) << errors;
  EXPECT_EQ(errors.find("no error was seen"), std::string::npos);
  for (const fs::path& directory : entries(root_)) EXPECT_TRUE(entries(directory).empty());
}

TEST_F(FailuresTest, LibFuzzersCrashesBecomeTraces) {
  // A target that leaves an input each time, as libFuzzer does.
  const fs::path target = root_ / "target";
  const auto bytes = toy::row().bytes_of_text(pair);
  std::ofstream(root_ / "input", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  std::ofstream(target)
      << "#!/bin/sh\n"
         "for a; do case $a in -artifact_prefix=*) prefix=${a#*=};; esac; done\n"
         "echo '#4096\tpulse  cov: 345 ft: 9 corp: 4/5b exec/s: 2048 rss: 30Mb' >&2\n"
         "cp '"
      << (root_ / "input").string()
      << "' \"$prefix\"crash-1\n"
         "echo 'DEDUP_TOKEN: TOY-PAIR' >&2\n"
         "exit 77\n";
  fs::permissions(target, fs::perms::owner_all);
  LibFuzzerOptions options;
  options.target = target;
  options.seconds_left = [] { return 60.0; };
  std::vector<std::string> traces;
  int again = 0;
  options.found = [&](const std::string& trace, const RunResult& result) {
    EXPECT_EQ(result.rule, "TOY-PAIR");
    traces.push_back(trace);
  };
  options.found_again = [&](const std::string&) { ++again; };
  const LibFuzzerResult result = run_libfuzzer(toy::row(), options);
  EXPECT_EQ(traces, std::vector<std::string>{pair});
  EXPECT_GT(again, 0);
  EXPECT_EQ(result.coverage, 345u);
  EXPECT_NE(result.note, "");
}

TEST(LibFuzzer, ItsStatusLinesAreRead) {
  LibFuzzerStatus status;
  read_status_line(
      "#65536\tpulse  cov: 1200 ft: 3456 corp: 99/2048b lim: 8 exec/s: 32768 rss: 60Mb", status);
  EXPECT_EQ(status.executions, 65536u);
  EXPECT_EQ(status.coverage, 1200u);
  EXPECT_EQ(status.rate, 32768u);
  read_status_line("stat::number_of_executed_units: 70000", status);
  EXPECT_EQ(status.executions, 70000u);
  read_status_line("INFO: Seed: 1", status);
  EXPECT_EQ(status.executions, 70000u);
}

}  // namespace
}  // namespace fuzz
