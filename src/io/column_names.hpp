// Names of the columns of a table.
#pragma once

#include <string>
#include <vector>

namespace thalweg {

/// Empty when there are names, all distinct and none empty; else what is wrong with them.
std::string fault_of_names(const std::vector<std::string>& names);

}  // namespace thalweg
