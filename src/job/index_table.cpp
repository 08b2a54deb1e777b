#include "job/index_table.hpp"

#include <cmath>

#include "core/format_number.hpp"
#include "io/table.hpp"

namespace thalweg {

namespace {

std::string number_cell(double value) { return std::isnan(value) ? "" : shortest_number(value); }

std::vector<std::string> cells_of(const IndexRow& row) {
  std::vector<std::string> cells = {tsv_cell(row.pair), tsv_cell(row.source), tsv_cell(row.target), std::to_string(row.n), std::to_string(row.m)};
  for (const double value :
       {row.mass, row.cost, row.primal, row.dual, row.gap, row.marginal_error_source, row.marginal_error_target})
    cells.push_back(number_cell(value));
  cells.push_back(std::to_string(row.iterations));
  cells.push_back(name_of(row.stop_reason));
  cells.push_back(row.stop_reason == StopReason::converged ? "True" : "False");
  cells.push_back(number_cell(row.seconds));
  cells.push_back(number_cell(row.peak_gib));
  cells.push_back(tsv_cell(row.file));
  return cells;
}

}  // namespace

std::string index_tsv(const std::vector<IndexRow>& rows) {
  const std::vector<std::string> columns = {"pair",
                                            "source",
                                            "target",
                                            "n",
                                            "m",
                                            "mass",
                                            "cost",
                                            "primal",
                                            "dual",
                                            "gap",
                                            "marginal_error_source",
                                            "marginal_error_target",
                                            "iterations",
                                            "stop_reason",
                                            "converged",
                                            "seconds",
                                            "peak_gib",
                                            "file"};
  std::string text = join(columns, "\t") + "\n";
  for (const IndexRow& row : rows) text += join(cells_of(row), "\t") + "\n";
  return text;
}

std::string pair_name(double source, double target) { return decimal_number(source) + "_" + decimal_number(target); }

std::string pair_name(const std::string& key, const std::string& source, const std::string& target) {
  return key + "-" + source + "_" + key + "-" + target;
}

}  // namespace thalweg
