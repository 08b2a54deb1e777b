// index.tsv: one row a problem.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/stop_reason.hpp"

namespace thalweg {

/// What became of one problem; NaN is written as nothing.
struct IndexRow {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();

  std::string pair = {};
  std::string source = {};
  std::string target = {};
  std::int64_t n = 0;
  std::int64_t m = 0;
  double mass = absent;
  double cost = absent;
  double primal = absent;
  double dual = absent;
  double gap = absent;
  double marginal_error_source = absent;
  double marginal_error_target = absent;
  std::int64_t iterations = 0;
  StopReason stop_reason = StopReason::converged;
  double seconds = absent;
  double peak_gib = absent;
  std::string file = {};  ///< solution in the results directory; empty: none
};

std::string index_tsv(const std::vector<IndexRow>& rows);

/// Name of the pair of two times: "12.0_12.5" (shortest decimals with at least one place).
std::string pair_name(double source, double target);
/// Name of the pair of two groups that are no numbers: "batch-a_batch-b".
std::string pair_name(const std::string& key, const std::string& source, const std::string& target);

}  // namespace thalweg
