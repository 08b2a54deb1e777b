// Exact optimal transport between small sets of types by the network simplex method, in double.
#pragma once

#include <span>
#include <vector>

#include "kernels/matrix.hpp"

namespace thalweg {

/// An optimal coupling with its proof: row_potential_k + column_potential_l <= cost_kl for every allowed entry, up to
/// one rounding, so `cost - gap` is a lower bound of the optimum.
struct TransportSolution {
  Matrix coupling;  ///< at most r1 + r2 - 1 entries are positive; forbidden entries are exactly 0
  std::vector<double> row_potential, column_potential;
  double cost = 0.0;      ///< <cost, coupling>
  double gap = 0.0;       ///< cost - (a . row_potential + b . column_potential)
  double unplaced = 0.0;  ///< mass that the allowed entries cannot carry; at most `tolerance` of the total
};

///   min <cost, P>   subject to   P 1 = a, P^T 1 = b, P >= 0, P_kl = 0 where allowed_kl = 0
///
/// Deterministic and free of cycling: flows are integers of 2^-60 of the total mass, so row and column sums are exact
/// to rounding, and the tree is strongly feasible.
/// @param a, b       masses >= 0 of equal sum (to 1e-6 of the total; each side is scaled to the mean sum)
/// @param cost       r1 x r2, finite
/// @param allowed    r1 x r2, 0 marks a forbidden entry; null allows every entry
/// @param tolerance  share of the total mass that may stay unplaced, for masses that agree with `allowed` only to
///                   rounding
/// Throws NumericalError on a non-finite cost, DataError on bad masses or if no allowed coupling exists
/// (`check_flow` in exact/max_flow.hpp names the types).
TransportSolution solve_transport(std::span<const double> a, std::span<const double> b, const Matrix& cost,
                                  const Matrix* allowed = nullptr, double tolerance = 1e-9);

}  // namespace thalweg
