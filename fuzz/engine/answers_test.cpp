// What a minimizer knows outlives it: wherever it is interrupted, going on gives the same result.
#include "fuzz/engine/answers.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

namespace fs = std::filesystem;

class AnswersTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "answers-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    state_ = folder_ / "state";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // One attempt that is interrupted after so many questions; 0: never.
  MinimizeResult attempt(int after) {
    auto book = AnswerBook::open(state_, trace_);
    if (!book) {
      ADD_FAILURE() << book.error();
      return {};
    }
    int asked = 0;
    MinimizeOptions options;
    options.book = &*book;
    options.interrupted = [&] { return after > 0 && ++asked > after; };
    return toy::row().minimize(trace_, options).value_or(MinimizeResult{});
  }
  static void expect_same(const MinimizeResult& a, const MinimizeResult& b) {
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.executed, b.executed);
    EXPECT_EQ(a.candidates, b.candidates);
    EXPECT_EQ(words_of(a.shortest), words_of(b.shortest));
  }

  fs::path folder_, state_;
  // Every stage has something to do here, also the search, and a process dies now and then.
  std::string trace_ = toy::trace_text(
      "p5 = put(value=3)\nnoise(loud=130)\ntake(page=p5)\nnoise(loud=250)\nnoise(loud=250)\n"
      "p9 = put(value=900)\nnoise(loud=250)\nnoise(loud=130)\nnoise(loud=1)\n",
      "era=linux-2.6.11 zones=DMA:16,NORMAL@32:64 cpus=4 pcp=off");
};

TEST_F(AnswersTest, AnInterruptAnywhereChangesNothing) {
  const MinimizeResult whole = *toy::row().minimize(trace_, {});
  for (const int stride : {1, 7, 30}) {
    fs::remove(state_);
    MinimizeResult result;
    int attempts = 0;
    // What is known is passed over without an interrupt's being asked for it anew.
    for (int after = stride; attempts < 2000; after += stride, ++attempts) {
      result = attempt(after);
      if (result.stopped == MinimizeResult::Stopped::fixed_point &&
          result.shortest.status != Shortest::Status::interrupted)
        break;
    }
    EXPECT_GT(attempts, 1);
    expect_same(result, whole);
  }
}

TEST_F(AnswersTest, AStateCutAnywhereIsGoodForWhatStandsThere) {
  const MinimizeResult whole = attempt(0);
  std::ifstream in(state_, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  const std::size_t answers = all.find("\nend\n\n") + 6;
  ASSERT_LT(answers, all.size());
  props::Random random(5);
  for (int i = 0; i < 12; ++i) {
    fs::resize_file(state_, answers + random.below(all.size() - answers));
    expect_same(attempt(0), whole);
    EXPECT_EQ(fs::file_size(state_), all.size());
  }
}

TEST_F(AnswersTest, NothingKnownIsAskedAgain) {
  attempt(0);
  const auto size = fs::file_size(state_);
  attempt(0);
  EXPECT_EQ(fs::file_size(state_), size);
}

TEST_F(AnswersTest, AStateOfSomethingElseIsRefused) {
  attempt(1);
  const auto other = AnswerBook::open(state_, toy::trace_text("noise(loud=1)\n"));
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().find("another trace"), std::string::npos);
  std::ofstream(folder_ / "noise") << "something else\n";
  EXPECT_FALSE(AnswerBook::open(folder_ / "noise", "").has_value());
  EXPECT_FALSE(AnswerBook::open(folder_ / "absent", "").has_value());
  EXPECT_FALSE(AnswerBook::open(folder_ / "no/such/folder", trace_).has_value());
  const auto held = AnswerBook::open(state_, "");
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->trace(), trace_);
  EXPECT_FALSE(AnswerBook::open(state_, "").has_value()) << "two at work on one state";
}

}  // namespace
}  // namespace fuzz
