#include "io/column_names.hpp"

#include <unordered_set>

namespace thalweg {

std::string fault_of_names(const std::vector<std::string>& names) {
  if (names.empty()) return "there are no columns";
  std::unordered_set<std::string> seen;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names[k].empty()) return "column " + std::to_string(k + 1) + " has no name";
    if (!seen.insert(names[k]).second) return "column '" + names[k] + "' occurs twice";
  }
  return "";
}

}  // namespace thalweg
