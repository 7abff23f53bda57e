// language: a layer's operations described as data, derived from the one list of them.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "props/core/operation.hpp"

namespace fuzz {

struct OperationField {
  std::string_view name;  // "" for the result
  std::string values;     // its domain, in words
};

struct OperationDescription {
  std::string_view name, help;
  unsigned code = 0;
  std::vector<OperationField> fields;

  std::string form() const;  // p = alloc_pages(order, gfp)
};

using Language = std::vector<OperationDescription>;  // by code

template <class L>
Language language_of() {
  Language language;
  props::any_alternative<typename L::Operation>([&]<class Op>(Op op) {
    OperationDescription one{Op::name, Op::help, Op::code, {}};
    Op::fields(op, [&]<class D>(std::string_view name, const D&) {
      one.fields.push_back({name, D::describe()});
    });
    language.push_back(std::move(one));
    return false;
  });
  std::ranges::sort(language, {}, &OperationDescription::code);
  return language;
}

}  // namespace fuzz
