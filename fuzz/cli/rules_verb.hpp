// rules_verb: `allocheck rules`: the register of what must hold, for reading and for programs.
#pragma once
#include <string>

namespace cli {

struct RulesOptions {
  std::string id;     // only this rule, and all of it; "": every rule
  std::string layer;  // only rules of this layer; "": of every one
  bool markdown = false;
  bool json = false;
};

int rules_verb(const RulesOptions&);

}  // namespace cli
