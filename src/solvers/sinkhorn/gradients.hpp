// Derivatives of optimal values by the envelope theorem: at the optimum only the explicit dependence counts.
#pragma once

#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// Points of both sides for gradients, in the coordinates the user has.
struct GradientPoints {
  std::int64_t dimension = 0;
  std::span<const double> source;  // owned rows x d
  std::span<const double> target;  // all m x d
};

/// dF/dx_i = (2 / s) (r_i x_i - (P Y)_i) for squared Euclidean cost, its divisor s held fixed.
/// One pass over pairs. Collective. @return owned rows x d
/// @param geometry  that of the problem, with reference and epsilon as the solver left them
std::vector<double> source_point_gradient(const PairGeometry& geometry, const SinkhornSolution& solution, const GradientPoints& points);

/// dF/dy_j = (2 / s) (c_j y_j - (P^T X)_j). One pass. Collective. @return m x d, on every rank
std::vector<double> target_point_gradient(const PairGeometry& geometry, const SinkhornSolution& solution, const GradientPoints& points);

/// dF/da_i, product reference, of the owned rows: f_i + epsilon (|b| - 1) for an exact side, up to one constant when both are
/// exact; lambda1 (1 - t) + epsilon (|b| - t), t = exp(-f_i / lambda1), for a relaxed one.
std::vector<double> source_weight_gradient(const SinkhornProblem& problem, const SinkhornSolution& solution);

/// dF/db_j of all columns, alike.
std::vector<double> target_weight_gradient(const SinkhornProblem& problem, const SinkhornSolution& solution);

/// Of a divergence: gradient of OT(a, b) less that of OT(a, a), whose factor 1/2 cancels against its two arguments.
/// @param cross, self  gradients by x_i of the two
std::vector<double> divergence_point_gradient(std::span<const double> cross, std::span<const double> self);

/// dS/da_i of the owned rows, with the term of the masses. @param self_problem  of a with itself
std::vector<double> divergence_weight_gradient(const SinkhornProblem& problem, const SinkhornSolution& cross,
                                               const SinkhornProblem& self_problem, const SinkhornSolution& self);

}  // namespace thalweg
