// property: a sentence that is true of every trace of a layer, and how one is judged.
//
//   trace ──▶ played by a world, judged cheaply ──▶ the property's own questions ──▶ Verdict
//             └─ a broken rule falsifies as well
//
// A rule judges one answer or one state. A property compares: two runs of one trace, two orders of
// giving back, a state and its copy. Each is a pure function of a trace, so the minimizer and
// `replay` can ask it again. They exist once: `allocheck check` and the tests read a row's list.
#pragma once
#include <functional>

#include "props/core/trace.hpp"
#include "props/core/violation.hpp"

namespace props {

// Called before each step that a property runs, so that a watchdog sees where it stands.
using Tick = std::function<void(std::size_t step)>;

struct Verdict {
  std::uint64_t asked = 0;  // how often the trace put the sentence to the test; 0: it said nothing
  std::optional<Violation> violation;
};

template <class Newborn, class Operation>
struct Property {
  Rule rule;  // its sentence is the property's name
  Verdict (*judge)(const Rule&, const Newborn&, const Trace<Operation>&, const Tick&);
};

}  // namespace props
