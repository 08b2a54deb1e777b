#include <algorithm>
#include <limits>
#include <utility>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/column_names.hpp"
#include "io/table.hpp"
#include "io/text_file.hpp"

namespace thalweg {

bool TextTable::has_column(const std::string& name) const {
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

std::size_t TextTable::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end())
    throw DataError("column '" + name + "' not found in " + path + "; " + available_names(name, columns));
  return static_cast<std::size_t>(found - columns.begin());
}

double TextTable::number(std::size_t row, std::size_t column) const {
  const std::string& text = rows[row][column];
  if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  if (!parse_number(text, value))
    throw DataError(path + ":" + std::to_string(lines[row]) + ": '" + text + "' in column '" + columns[column] +
                    "' is not a finite number; write it like 0.5 or 1e-3");
  return value;
}

namespace {

/// Walks through the text of a table, one row at a time.
class RowParser {
 public:
  RowParser(const std::string& path, const std::string& text) : path_(path), text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  /// Line at which the row last read begins.
  std::int64_t line() const { return row_line_; }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(path_ + ":" + std::to_string(row_line_) + ": " + what);
  }

  /// False at the end of the text.
  bool next(std::vector<std::string>& cells) {
    skip_empty_lines();
    cells.clear();
    row_line_ = line_;
    if (at_ >= text_.size()) return false;
    do cells.push_back(cell());
    while (take('\t'));
    if (at_ < text_.size() && !end_line()) fail("text after a closing quote; quote the whole cell");
    return true;
  }

 private:
  bool take(char character) {
    if (at_ >= text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  bool end_line() {
    const std::size_t start = at_;
    take('\r');
    if (take('\n')) {
      ++line_;
      return true;
    }
    const bool is_end = at_ == text_.size();
    if (!is_end) at_ = start;
    return is_end;
  }

  void skip_empty_lines() {
    while (at_ < text_.size() && end_line()) {
    }
  }

  std::string cell() {
    if (take('"')) return quoted_cell();
    std::size_t end = std::min(text_.find_first_of("\t\n", at_), text_.size());
    const std::size_t start = std::exchange(at_, end);
    // The carriage return of a CRLF belongs to the line end.
    if (end > start && text_[end - 1] == '\r' && (end == text_.size() || text_[end] == '\n')) at_ = --end;
    return text_.substr(start, end - start);
  }

  /// After the opening quote.
  std::string quoted_cell() {
    std::string cell;
    while (at_ < text_.size()) {
      const char character = text_[at_++];
      if (character == '"' && !take('"')) return cell;
      if (character == '\n') ++line_;
      cell += character;
    }
    fail("a quote is not closed; close it or double it");
  }

  const std::string& path_;
  const std::string& text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t row_line_ = 1;
};

}  // namespace

TextTable read_tsv(const std::string& path) {
  const std::string text = read_text_file(path);
  RowParser parser(path, text);
  TextTable table{path, {}, {}, {}};
  if (!parser.next(table.columns))
    throw DataError(path + ":1: the file is empty; a header and rows separated by tabs are needed");
  if (const std::string fault = fault_of_names(table.columns); !fault.empty())
    parser.fail(fault + "; the first line names the columns, each once");
  for (std::vector<std::string> cells; parser.next(cells);) {
    if (cells.size() != table.columns.size())
      parser.fail(std::to_string(cells.size()) + " cells where the header has " + std::to_string(table.columns.size()) +
                  "; cells are separated by single tabs");
    table.rows.push_back(cells);
    table.lines.push_back(parser.line());
  }
  return table;
}

}  // namespace thalweg
