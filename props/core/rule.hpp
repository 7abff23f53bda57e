// rule: one line of the register of what must hold; oracles, messages, docs and help all read it.
//
//   id          BUDDY-COALESCED        never reused, never renumbered
//   sentence    what a reader must know, in words
//   statement   the same, exact enough to be restated by a naive program
//   why, source what goes wrong without it, and where the kernel says so
//
// A rule is data. The code that judges it names it by `id`; a world aborts on an id that its rows
// do not register, so a misspelt id cannot go unnoticed.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace props {

// How often a rule can be afforded: `constant` and `logarithmic` after every step, `linear` (in the
// size of the machine) in small scopes, sampled, and at the end of a run.
enum class Cost : std::uint8_t { constant, logarithmic, linear };

// Whose behaviour a rule speaks of: any subject of the layer, only the reference's own records, or
// the running of a trace itself (answers, crashes, hangs).
enum class Scope : std::uint8_t { subject, reference, recorded, run };

struct Rule {
  std::string_view id;         // "LAYER-WORD", upper case
  std::string_view layer;      // the row or room that owns it: "core", "buddy", "linux"
  std::string_view sentence;   // one sentence for people
  std::string_view statement;  // formal, one line
  std::string_view why;        // what a broken one costs
  std::string_view source;     // sentences of the kernel sheet (B-6), files and functions
  Cost cost;
  Scope scope;
};

std::string_view name_of(Cost);
std::string_view name_of(Scope);

// The rules of running a trace, whatever its layer. Each row and room has a function like it.
std::span<const Rule> run_rules();

// The rule of that id, or null.
const Rule* find_rule(std::span<const Rule>, std::string_view id);

}  // namespace props
