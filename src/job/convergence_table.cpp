#include "job/convergence_table.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"

namespace thalweg {

namespace {

const std::vector<std::string> shared_columns = {"problem",
                                                 "stage",
                                                 "level",
                                                 "outer",
                                                 "inner",
                                                 "epsilon",
                                                 "objective",
                                                 "primal",
                                                 "dual",
                                                 "gap",
                                                 "marginal_error_source",
                                                 "marginal_error_target",
                                                 "change",
                                                 "seconds",
                                                 "stop_reason"};

std::string number_cell(double value) { return std::isnan(value) ? "" : shortest_number(value); }

std::string count_cell(const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : ""; }

/// RFC 4180: quotes around a text that holds a comma, quote or newline.
std::string text_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  quoted += '"';
  return quoted;
}

struct CellText {
  std::string operator()(double value) const { return number_cell(value); }
  std::string operator()(const std::string& text) const { return text_cell(text); }
};

std::vector<std::string> cells_of(const ConvergenceRow& row, std::size_t num_extra) {
  std::vector<std::string> cells = {text_cell(row.problem), text_cell(row.stage), count_cell(row.level),
                                    count_cell(row.outer), count_cell(row.inner)};
  for (const double value : {row.epsilon, row.objective, row.primal, row.dual, row.gap, row.marginal_error_source,
                             row.marginal_error_target, row.change, row.seconds})
    cells.push_back(number_cell(value));
  cells.push_back(row.stop_reason ? name_of(*row.stop_reason) : "");
  for (std::size_t k = 0; k < num_extra; ++k)
    cells.push_back(k < row.extra.size() ? std::visit(CellText{}, row.extra[k]) : "");
  return cells;
}

}  // namespace

std::string ConvergenceTable::csv() const {
  std::vector<std::string> columns = shared_columns;
  columns.insert(columns.end(), extra_columns_.begin(), extra_columns_.end());
  std::string text = join(columns, ",") + "\n";
  for (const ConvergenceRow& row : rows_) text += join(cells_of(row, extra_columns_.size()), ",") + "\n";
  return text;
}

}  // namespace thalweg
