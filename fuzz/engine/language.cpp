// The short form of an operation.
#include "fuzz/engine/language.hpp"

namespace fuzz {

std::string OperationDescription::form() const {
  std::string result, inside;
  for (const OperationField& field : fields) {
    if (field.name.empty()) result = "p = ";
    else inside += (inside.empty() ? "" : ", ") + std::string(field.name);
  }
  return result + std::string(name) + "(" + inside + ")";
}

}  // namespace fuzz
