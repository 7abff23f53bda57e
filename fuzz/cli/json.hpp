// json: the command's results for programs; fuzz/cli/schema.json says what each verb prints.
#pragma once
#include <nlohmann/json.hpp>

#include "fuzz/cli/input.hpp"
#include "fuzz/engine/finding.hpp"
#include "props/core/rule.hpp"

namespace cli {

using Json = nlohmann::ordered_json;

// One line. What is no UTF-8 (a file name may be any bytes) is replaced.
std::string dump(const Json&);

Json json_of(const props::Rule&);
Json json_of(const InputError&);
// end, rule, step (from 1; null when clean), step_text, expected, actual, picture, output,
// executed, skipped, digest.
Json json_of(const fuzz::RunResult&);
// status, words, alphabet, registers, sequences, states, bound.
Json json_of(const fuzz::Shortest&);

}  // namespace cli
