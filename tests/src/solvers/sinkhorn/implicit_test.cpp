// Derivatives of L(P) = sum_ij U_i. . V_j. P_ij against central differences of converged couplings.
#include "solvers/sinkhorn/implicit.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Penalties {
  double lambda1, lambda2;
};

Vector wave(std::size_t count, double phase) {
  Vector values(count);
  for (std::size_t k = 0; k < count; ++k) values[k] = std::sin(phase + 1.3 * static_cast<double>(k));
  return values;
}

Dense problem_of(const Vector& costs, const Clouds& clouds, Penalties penalties) {
  Dense dense(costs, clouds.a, clouds.b);
  dense.geometry->set_scale(clouds.scale);
  dense.problem.epsilon = 0.2;
  dense.problem.lambda1 = penalties.lambda1;
  dense.problem.lambda2 = penalties.lambda2;
  dense.settings.tolerance = 1e-13;
  dense.settings.gap_tolerance = 1e-14;
  return dense;
}

struct ImplicitGradients : testing::TestWithParam<Penalties> {
  Clouds clouds = small_clouds();
  Vector costs = clouds.costs(), rows = wave(80, 0.0), columns = wave(60, 2.0);
  CouplingLoss loss{2, rows, columns};
  Dense dense = problem_of(costs, clouds, GetParam());
  SinkhornSolution solution = dense.solve();

  static double value(const CouplingLoss& of, const Vector& coupling) {
    double sum = 0.0;
    for (std::size_t k = 0; k < coupling.size(); ++k)
      for (std::size_t l = 0; l < 2; ++l) sum += of.row_factors[k / 30 * 2 + l] * of.column_factors[k % 30 * 2 + l] * coupling[k];
    return sum;
  }
  double value_at(const Vector& moved_costs) const {
    Dense moved = problem_of(moved_costs, clouds, GetParam());
    return value(loss, moved.coupling(moved.solve()));
  }
  AdjointPotentials adjoint(const CouplingLoss& of) const {
    AdjointSettings settings;
    settings.tolerance = 1e-12;
    return solve_adjoint(*dense.geometry, dense.problem, solution, of, settings);
  }
  Vector cost_gradient(const CouplingLoss& of) const {
    return cost_gradient_rows(*dense.geometry, solution, of, adjoint(of), {0, 40});
  }
};

TEST_P(ImplicitGradients, ByCostsEqualCentralDifferences) {
  const Vector gradient = cost_gradient(loss);
  for (const std::size_t k : {0u, 23u, 617u, 1199u}) {
    Vector upper = costs, lower = costs;
    upper[k] += 1e-4 * clouds.scale;
    lower[k] -= 1e-4 * clouds.scale;
    EXPECT_NEAR(gradient[k], (value_at(upper) - value_at(lower)) / 2e-4, 1e-7) << k;
  }
}

TEST_P(ImplicitGradients, ByPointsEqualCentralDifferences) {
  const Vector gradient = source_point_gradient(*dense.geometry, solution, loss, adjoint(loss), {3, clouds.x, clouds.y});
  for (const std::size_t k : {0u, 50u, 119u}) {
    Clouds upper = clouds, lower = clouds;
    upper.x[k] += 1e-4;
    lower.x[k] -= 1e-4;
    EXPECT_NEAR(gradient[k], (value_at(upper.costs()) - value_at(lower.costs())) / 2e-4, 1e-6) << k;
  }
}

TEST_P(ImplicitGradients, AreSymmetric) {
  const Vector other_rows = wave(80, 5.0), other_columns = wave(60, 4.0);
  const CouplingLoss other{2, other_rows, other_columns};
  EXPECT_NEAR(value(other, cost_gradient(loss)), value(loss, cost_gradient(other)), 1e-11);
}

TEST_P(ImplicitGradients, ConvergeInFewStepsAndAtOnceFromTheSolution) {
  const AdjointPotentials cold = solve_adjoint(*dense.geometry, dense.problem, solution, loss);
  EXPECT_LE(cold.relative_residual, 1e-6);
  EXPECT_LE(cold.iterations, 30);
  AdjointSettings warm;
  warm.initial_q = cold.q;
  EXPECT_LE(solve_adjoint(*dense.geometry, dense.problem, solution, loss, warm).iterations, 1);
}

INSTANTIATE_TEST_SUITE_P(Penalties, ImplicitGradients,
                         testing::Values(Penalties{infinity, infinity}, Penalties{1.0, 50.0}, Penalties{infinity, 1.0}),
                         [](const auto& param_info) { return "case" + std::to_string(param_info.index); });

}  // namespace
}  // namespace thalweg
