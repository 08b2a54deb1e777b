// Numbers and lists as text, the same everywhere.
#pragma once

#include <string>
#include <vector>

namespace thalweg {

/// Shortest decimal that reads back as the same double: "0.1", "12", "1e-07"; "nan", "inf", "-inf".
std::string shortest_number(double value);

/// `shortest_number` with at least one decimal place: "12.0", "12.5", "1e-07".
std::string decimal_number(double value);

/// Three significant digits, for people: "0.00021", "3.4e+06".
std::string rounded_number(double value, int digits = 3);

std::string join(const std::vector<std::string>& parts, const std::string& separator);

}  // namespace thalweg
