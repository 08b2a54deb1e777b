// The linear part of fused problems, and how it is weighed against the quadratic one.
#pragma once

#include "kernels/matrix.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Factors of both parts of E: alpha / s_GW and (1 - alpha) / s_W.
struct FusedFactors {
  double quadratic = 1.0, linear = 0.0;
};

/// @throws DataError for alpha outside [0, 1], or below 1 without linear costs
FusedFactors fused_factors(const GromovProblem& problem, const FusedUnits& units);

/// s_GW and s_W of a problem whose parts have these values at a b^T.
FusedUnits fused_units(const GromovProblem& problem, double quadratic, double linear);

/// M, owned rows x m in float64; empty without linear costs. Collective.
/// @throws DataError for entries that are not finite or negative, other shapes
std::vector<double> linear_cost_rows(const Context& context, const GromovProblem& problem, RowRange rows,
                                     std::int64_t num_columns);

/// Shared features of both sides, moved by the weighted mean of the sources: U (n x h) and V (m x h) of
/// M_ij = |u_i|^2 + |v_j|^2 - 2 u_i . v_j. Without linear costs h = 0.
/// @throws DataError for stored linear costs, other shapes, features that are not finite
struct SharedClouds {
  Matrix source, target;
};
SharedClouds shared_clouds(const GromovProblem& problem, std::int64_t num_rows, std::int64_t num_columns);

/// Points in float64. @param name  of the side, for errors  @throws DataError for features that are not finite
Matrix finite_points(const PointSet& points, const std::string& name);

}  // namespace thalweg
