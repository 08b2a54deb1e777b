// Rigorous bounds on the value of a transport problem from potentials that are not yet optimal.
#pragma once

#include <limits>

#include "solvers/sinkhorn/fixed_point.hpp"

namespace thalweg {

/// Nothing is known until it is found.
struct Bounds {
  double dual = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
};

/// Balanced: the value of a feasible coupling near P(f, g), whatever the error of its columns.
///
/// P(f, g') with g' = g + epsilon log min(1, b / c) is below both marginals; the product of what is missing is added:
///   P' = P(f, g') + delta_r delta_c^T / theta,   theta = |delta_r| = |delta_c|
///   U  = sum r f + sum c' g' - epsilon (1 - theta) log(1 - theta) + theta <C, Rd>
///        + epsilon theta [KL(delta_r / theta | a) + KL(delta_c / theta | b)] >= F(P')   (product reference)
/// One pass over pairs, and those of PairGeometry::product_cost. Collective.
/// @param pair  f = F(g) and its column sums @param geometry  in float64
/// Source: Altschuler, Weed & Rigollet (2017), rounding to the feasible set; convexity of KL; docs/math.md.
double certified_upper_bound(const Communicator& comm, const PreparedTransport& transport, const Iterate& pair,
                             PairGeometry& geometry);

/// Relaxed source, exact target: both bounds from (f, g'), g' = g + epsilon log(b / c), whose columns are exact.
/// Nothing where a column is still empty.
/// One pass over pairs. Collective.
Bounds bounds_with_exact_columns(const Communicator& comm, const PreparedTransport& transport, const Iterate& pair,
                                 const PairGeometry& geometry);

}  // namespace thalweg
