// Numbers and lists as text, the same everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

/// Shortest decimal that reads back as the same double, without an exponent from 1e-4 to 1e16: "0.1", "100000",
/// "1e-07"; "nan", "inf", "-inf".
std::string shortest_number(double value);

/// `shortest_number` with at least one decimal place: "12.0", "12.5", "1e-07".
std::string decimal_number(double value);
/// The same for the precision in which the value was stored.
std::string decimal_number(float value);

/// True, and the value, when the whole text is a finite decimal number; "+1.5e1" is.
bool parse_number(std::string_view text, double& value);

/// Three significant digits, for people: "0.00021", "3.4e+06".
std::string rounded_number(double value, int digits = 3);

/// 16 hexadecimal digits.
std::string hexadecimal(std::uint64_t value);

std::string join(const std::vector<std::string>& parts, const std::string& separator);

}  // namespace thalweg
