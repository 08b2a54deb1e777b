// The block problem of low-rank transport: column duals for given type masses.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "solvers/row_pass.hpp"

namespace thalweg {

struct DualOptions {
  /// Stop at |g - s|_1 below this.
  double tolerance = 1e-6;
  /// Relative rounding of the dual value: 1e-15 for float64 features, 1e-7 for float32.
  double value_rounding = 1e-7;
  int max_passes = 60;
};

/// A solved block: duals and the sums at them, features included.
struct DualSolution {
  std::vector<double> duals;
  PassSums sums;
  int passes = 0;
  bool used_continuation = false;
};

/// Maximises the concave dual D(v) = g.v - sum_i a_i log sum_k exp(phi_i . A_k + v_k), whose gradient is
/// g - s(v) and whose negative Hessian is diag(s) - H, by safeguarded Newton steps.
///
/// A stall is followed by continuation in epsilon with the linear cost kept; an unconverged v is never
/// returned. Collective.
/// @param logits   A, p x r (cost features over epsilon)
/// @param masses   g > 0, sum 1
/// @param start    v to start from; empty: a guess from `centroids`
/// @param centroids   own means of the types, p x r, used only without a start
/// @return nothing when even the continuation fails
/// Source: Newton for semi-discrete/entropic transport duals, Merigot & Thibert (2020), section 4.
std::optional<DualSolution> solve_column_duals(const RowPass& rows, const Matrix& logits, std::span<const double> masses,
                                               std::span<const double> start, const Matrix& centroids,
                                               const DualOptions& options);

}  // namespace thalweg
