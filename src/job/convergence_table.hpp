// convergence.csv: the history of every solve.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/stop_reason.hpp"

namespace thalweg {

/// One check of a solver; NaN and absent are written as nothing.
struct ConvergenceRow {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();

  std::string problem = {};
  std::string stage = {};
  std::optional<std::int64_t> level = {};
  std::optional<std::int64_t> outer = {};
  std::optional<std::int64_t> inner = {};
  double epsilon = absent;
  double objective = absent;  ///< value of the problem itself
  double primal = absent;     ///< regularised value that is minimised
  double dual = absent;
  double gap = absent;
  double marginal_error_source = absent;
  double marginal_error_target = absent;
  double change = absent;
  double seconds = absent;
  std::optional<StopReason> stop_reason = {};  ///< on the last row of a problem, stage and level
  std::vector<std::variant<double, std::string>> extra = {};  ///< the engine's own columns
};

/// Gathers rows and writes them under the shared column names, followed by the engine's own.
class ConvergenceTable {
 public:
  explicit ConvergenceTable(std::vector<std::string> extra_columns = {}) : extra_columns_(std::move(extra_columns)) {}

  void add(ConvergenceRow row) { rows_.push_back(std::move(row)); }
  const std::vector<ConvergenceRow>& rows() const { return rows_; }

  std::string csv() const;

 private:
  std::vector<std::string> extra_columns_;
  std::vector<ConvergenceRow> rows_;
};

}  // namespace thalweg
