// promote_verb: `allocheck promote FINDING --name NAME`: a failure becomes a trace of the corpus.
//
//   failures/BUDDY-COALESCED-1f2e3d4c/ ──▶ replayed twice ──▶ corpus/buddy/regressions/NAME.trace
#pragma once
#include <string>

namespace cli {

struct PromoteOptions {
  std::string from;   // a folder of a finding, or a trace
  std::string name;   // of the new trace; says what was wrong
  std::string what;   // the sentence at its top; "": from the rule
  std::string layer;  // "": the trace's
  std::string corpus = "corpus";
  std::string mutant;  // of that layer, which breaks the rule on this trace; "": none
  bool json = false;
};

int promote_verb(const PromoteOptions&);

}  // namespace cli
