#include "core/format_number.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <charconv>
#include <cmath>

namespace thalweg {

namespace {

template <class Float>
std::string shortest(Float value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const Float size = std::abs(value);
  const bool is_plain = value == 0 || (size >= Float(1e-4) && size < Float(1e16));
  std::array<char, 64> buffer;
  char* const last = buffer.data() + buffer.size();
  const auto result = is_plain ? std::to_chars(buffer.data(), last, value, std::chars_format::fixed)
                               : std::to_chars(buffer.data(), last, value);
  return {buffer.data(), result.ptr};
}

template <class Float>
std::string decimal(Float value) {
  std::string text = shortest(value);
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string shortest_number(double value) { return shortest(value); }
std::string decimal_number(double value) { return decimal(value); }
std::string decimal_number(float value) { return decimal(value); }

bool parse_number(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  return status == std::errc() && stop == end && std::isfinite(value);
}

std::string rounded_number(double value, int digits) { return fmt::format("{:.{}g}", value, digits); }

std::string hexadecimal(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

}  // namespace thalweg
