// check_plan: what `allocheck check` was asked for, understood.
#pragma once
#include <expected>

#include "fuzz/cli/check_verb.hpp"
#include "fuzz/engine/layers.hpp"

namespace cli {

struct CheckPlan {
  struct Item {
    const fuzz::Layer* layer;
    props::Rule property;
  };
  std::vector<Item> items;
  std::uint64_t seed = 0;
  std::uint64_t runs = 100;  // for each property; in each round, when there is a time
  double seconds = 0;        // 0: one round
  bool stop_at_first = false;
};

// The error is what to tell the user.
std::expected<CheckPlan, std::string> plan_of(const CheckVerbOptions&);

// What to type to check the same once more.
std::string command_of(const CheckVerbOptions&, const CheckPlan&);

}  // namespace cli
