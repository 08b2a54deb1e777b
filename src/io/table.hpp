// Tab-separated tables: the results in tables/*.tsv, and small tables that users give.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace thalweg {

/// A cell of a table; `std::monostate` and NaN are missing and written as nothing.
using TableCell = std::variant<std::monostate, std::string, double, std::int64_t, bool>;

/// Rows under named columns.
class Table {
 public:
  /// Throws DataError when a name is empty or occurs twice.
  explicit Table(std::vector<std::string> columns);

  /// Throws DataError when the number of cells is not that of the columns.
  void add_row(std::vector<TableCell> cells);

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::vector<TableCell>>& rows() const { return rows_; }

  /// Header and rows, tab-separated, UTF-8, each with a newline. Floats have their shortest form that
  /// reads back exactly, truth values are True and False. A text with a tab, newline or quote is put
  /// in double quotes with inner quotes doubled, as pandas.read_csv reads it.
  std::string to_tsv() const;
  /// `to_tsv` into a file (write_text_file).
  void write(const std::string& path) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<TableCell>> rows_;
};

/// A text as a cell of a table: quoted where it holds a tab, newline or quote.
std::string tsv_cell(const std::string& text);

/// A table as it stands in a file: texts only.
struct TextTable {
  std::string path;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  /// Line of the file at which each row begins, from 1.
  std::vector<std::int64_t> lines;

  /// Position of a column. Throws DataError that lists the columns there are.
  std::size_t column(const std::string& name) const;
  bool has_column(const std::string& name) const;
  /// The number in a cell; NaN when it is empty. Throws DataError with file and line when it is none.
  double number(std::size_t row, std::size_t column) const;
};

/// Reads a tab-separated table with a header. Lines may end in CRLF, cells may be quoted as `to_tsv` does,
/// a byte-order mark and empty lines are skipped.
/// Throws IoError when the file cannot be read, and DataError "file:line: .." when there is no header, a
/// column name is empty or occurs twice, a row has too few or too many cells, or a quote is not closed.
TextTable read_tsv(const std::string& path);

}  // namespace thalweg
