#include "io/plots/plot.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

#include "io/plots/text.hpp"
#include "io/table.hpp"

namespace thalweg {

namespace {

void append_line(const std::vector<std::string>& cells, std::string& out) {
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (k > 0) out += '\t';
    out += tsv_cell(encode_utf8(decode_utf8(cells[k])));
  }
  out += '\n';
}

}  // namespace

std::string PlotTable::tsv() const {
  std::string out;
  append_line(header, out);
  for (const auto& row : rows) append_line(row, out);
  return out;
}

std::string table_cell(double value) {
  if (!std::isfinite(value)) return {};
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string table_cell(std::int64_t value) { return std::to_string(value); }

std::string short_exponent(std::string number) {
  const std::size_t exponent = number.find('e');
  if (exponent == std::string::npos) return number;
  const std::string sign = number[exponent + 1] == '-' ? "-" : "";
  const std::size_t first = number.find_first_not_of("+-0", exponent + 1);
  return number.substr(0, exponent + 1) + (first == std::string::npos ? "0" : sign + number.substr(first));
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return "n/a";
  char buffer[40];
  return short_exponent(
      {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr});
}

std::string grouped(std::int64_t value) {
  std::string out = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t k = out.size(); k > first + 3;) out.insert(k -= 3, "\u2009");
  return out;
}

}  // namespace thalweg
