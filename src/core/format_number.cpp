#include "core/format_number.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace thalweg {

std::string shortest_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

std::string decimal_number(double value) {
  std::string text = shortest_number(value);
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string rounded_number(double value, int digits) { return fmt::format("{:.{}g}", value, digits); }

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

}  // namespace thalweg
