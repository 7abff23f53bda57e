// Has RapidCheck draw the cases. The only unit that includes it: its headers take seconds.
#include "props/core/cases.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <unordered_map>

namespace props {
namespace {

// A case is not shrunk here: our minimizer keeps the rule and deletes steps, while a smaller seed
// would be another trace. RapidCheck also scales what it draws by a size that grows from 0: without
// the nominal size the first cases would have small seeds and the least number of steps.
template <class T>
T drawn(rc::Gen<T> gen) {
  return *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, std::move(gen)));
}

class Quiet final : public rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

}  // namespace

std::uint64_t check_cases(std::uint64_t seed, std::uint64_t runs,
                          const std::function<bool(const CaseSeed&)>& holds) {
  rc::detail::TestParams params;
  params.seed = seed;
  params.disableShrinking = true;
  params.maxSuccess = static_cast<int>(std::min<std::uint64_t>(runs, 1'000'000'000));
  Quiet quiet;
  std::uint64_t held = 0;
  bool failed = false;
  const auto property = [&] {
    // RapidCheck asks a case that failed once more, to describe it. We have its trace by then.
    RC_ASSERT(!failed);
    const CaseSeed one{drawn(rc::gen::arbitrary<std::uint64_t>()),
                       drawn(rc::gen::inRange(case_steps_min, case_steps_max + 1))};
    failed = !holds(one);
    held += failed ? 0 : 1;
    RC_ASSERT(!failed);
  };
  // With a map of cases to reproduce, be it empty, RapidCheck asks no environment variable.
  rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params, quiet,
                            std::unordered_map<std::string, rc::detail::Reproduce>{});
  return held;
}

std::uint64_t seed_of_property(std::uint64_t seed, std::string_view id, std::uint64_t round) {
  for (const char c : id) seed = seed_of_run(seed, static_cast<unsigned char>(c));
  return seed_of_run(seed, round);
}

}  // namespace props
