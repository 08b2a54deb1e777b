#include "solvers/sinkhorn/gradients.hpp"

#include <cmath>
#include <numeric>

namespace thalweg {

namespace {

double mass_of(std::span<const double> weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); }

/// (2 / s) (sum_i x_i - transported_i), row by row.
std::vector<double> pull(std::span<const double> points, std::span<const double> sums, std::vector<double> transported,
                         double scale) {
  const std::size_t dimension = sums.empty() ? 1 : points.size() / sums.size();
  for (std::size_t k = 0; k < transported.size(); ++k)
    transported[k] = 2.0 / scale * (sums[k / dimension] * points[k] - transported[k]);
  return transported;
}

std::vector<double> weight_gradient(std::span<const double> potentials, double lambda, double epsilon, double other_mass) {
  std::vector<double> gradient(potentials.size());
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double t = std::exp(-potentials[i] / lambda);  // row sum over weight; 1 for an exact side
    const double penalty = std::isinf(lambda) ? potentials[i] : lambda * (1.0 - t);
    gradient[i] = penalty + epsilon * (other_mass - t);
  }
  return gradient;
}

}  // namespace

std::vector<double> source_point_gradient(const PairGeometry& geometry, const SinkhornSolution& solution, const GradientPoints& points) {
  return pull(points.source, solution.row_sums, geometry.apply(solution.f, solution.g, points.target, points.dimension), geometry.scale());
}

std::vector<double> target_point_gradient(const PairGeometry& geometry, const SinkhornSolution& solution, const GradientPoints& points) {
  return pull(points.target, solution.column_sums, geometry.apply_transposed(solution.f, solution.g, points.source, points.dimension), geometry.scale());
}

std::vector<double> source_weight_gradient(const SinkhornProblem& problem, const SinkhornSolution& solution) {
  return weight_gradient(solution.f, problem.lambda1, problem.epsilon, mass_of(problem.b));
}

std::vector<double> target_weight_gradient(const SinkhornProblem& problem, const SinkhornSolution& solution) {
  return weight_gradient(solution.g, problem.lambda2, problem.epsilon, mass_of(problem.a));
}

std::vector<double> divergence_point_gradient(std::span<const double> cross, std::span<const double> self) {
  std::vector<double> gradient(cross.begin(), cross.end());
  for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] -= self[k];
  return gradient;
}

std::vector<double> divergence_weight_gradient(const SinkhornProblem& problem, const SinkhornSolution& cross,
                                               const SinkhornProblem& self_problem, const SinkhornSolution& self) {
  const double of_masses = problem.epsilon * (mass_of(problem.a) - mass_of(problem.b));
  std::vector<double> gradient = source_weight_gradient(problem, cross);
  const std::vector<double> own = source_weight_gradient(self_problem, self);
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += of_masses - own[i];
  return gradient;
}

}  // namespace thalweg
