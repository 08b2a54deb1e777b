#include "io/table.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/column_names.hpp"
#include "io/text_file.hpp"

namespace thalweg {

namespace {

std::string cell_text(const TableCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return tsv_cell(*text);
  if (const auto* number = std::get_if<double>(&cell)) return std::isnan(*number) ? "" : shortest_number(*number);
  if (const auto* count = std::get_if<std::int64_t>(&cell)) return std::to_string(*count);
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? "True" : "False";
  return "";
}

/// A line of its own for a row: one that were empty would be skipped by readers.
std::string row_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t k = 0; k < cells.size(); ++k) line += (k > 0 ? "\t" : "") + cells[k];
  return (line.empty() ? "\"\"" : line) + "\n";
}

}  // namespace

std::string tsv_cell(const std::string& text) {
  if (text.find_first_of("\t\r\n\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

Table::Table(std::vector<std::string> columns) : columns_(std::move(columns)) {
  if (const std::string fault = fault_of_names(columns_); !fault.empty())
    throw DataError(fault + " in a table; column names are distinct and not empty");
}

void Table::add_row(std::vector<TableCell> cells) {
  if (cells.size() != columns_.size())
    throw DataError("a row of " + std::to_string(cells.size()) + " cells in a table of " +
                    std::to_string(columns_.size()) + " columns, the first of them '" + columns_[0] + "'");
  rows_.push_back(std::move(cells));
}

std::string Table::to_tsv() const {
  std::vector<std::string> cells;
  for (const std::string& name : columns_) cells.push_back(tsv_cell(name));
  std::string text = row_line(cells);
  for (const auto& row : rows_) {
    std::transform(row.begin(), row.end(), cells.begin(), cell_text);
    text += row_line(cells);
  }
  return text;
}

void Table::write(const std::string& path) const { write_text_file(path, to_tsv()); }

}  // namespace thalweg
