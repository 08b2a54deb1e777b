// What holds for every solution, whatever the data.
#include "solvers/sinkhorn/sinkhorn.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

double sum_of(const Vector& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// <C, P>, KL terms and F of a coupling in full.
struct DenseValues {
  double cost = 0.0, mass = 0.0, primal = 0.0, error_target = 0.0;
};

double relative_entropy(double p, double q) { return p > 0.0 ? p * std::log(p / q) - p + q : q; }

DenseValues dense_values(const Dense& dense, const Clouds& clouds, const SinkhornSolution& solution) {
  const Vector p = dense.coupling(solution), costs = clouds.costs();
  const std::size_t n = clouds.a.size(), m = clouds.b.size();
  DenseValues values;
  Vector rows(n, 0.0), columns(m, 0.0);
  double divergence = 0.0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) {
      const double entry = p[i * m + j];
      values.cost += entry * costs[i * m + j] / clouds.scale;
      divergence += relative_entropy(entry, std::exp(solution.log_alpha[i] + solution.log_beta[j]));
      rows[i] += entry;
      columns[j] += entry;
    }
  values.mass = sum_of(rows);
  values.primal = values.cost + solution.epsilon * divergence;
  double wanted = 0.0;
  for (std::size_t j = 0; j < m; ++j) {
    const bool is_exact = std::isinf(dense.problem.lambda2);
    const double q = clouds.b[j] * (is_exact ? 1.0 : std::exp(-solution.g[j] / dense.problem.lambda2));
    if (!is_exact) values.primal += dense.problem.lambda2 * relative_entropy(columns[j], clouds.b[j]);
    values.error_target += std::abs(columns[j] - q);
    wanted += q;
  }
  values.error_target /= wanted;
  if (!std::isinf(dense.problem.lambda1))
    for (std::size_t i = 0; i < n; ++i) values.primal += dense.problem.lambda1 * relative_entropy(rows[i], clouds.a[i]);
  return values;
}

TEST(Sinkhorn, ReportsWhatADenseRecomputationGives) {
  const Clouds clouds = small_clouds();
  for (const auto& [lambda1, lambda2] : {std::pair{infinity, infinity}, {1.0, 50.0}, {infinity, 1.0}, {1.0, infinity}})
    for (const EntropyReference reference : {EntropyReference::product, EntropyReference::uniform, EntropyReference::counting}) {
      Dense dense(clouds);
      dense.problem.lambda1 = lambda1;
      dense.problem.lambda2 = lambda2;
      dense.problem.reference = reference;
      dense.settings.max_iterations = 23;  // unconverged numbers must be true too
      dense.settings.tolerance = 1e-15;
      const SinkhornSolution solution = dense.solve();
      const DenseValues values = dense_values(dense, clouds, solution);
      EXPECT_EQ(solution.stop_reason, StopReason::max_iterations);
      EXPECT_NEAR(solution.cost, values.cost, 1e-12);
      EXPECT_NEAR(solution.mass, values.mass, 1e-12);
      EXPECT_NEAR(solution.primal, values.primal, 1e-11);
      EXPECT_NEAR(solution.error_target, values.error_target, 1e-12);
      EXPECT_LE(solution.error_source, 1e-13);
      EXPECT_NEAR(solution.cost + solution.epsilon * solution.relative_entropy + solution.marginal_penalty_source + solution.marginal_penalty_target,
                  solution.primal, 1e-11);
    }
}

TEST(Sinkhorn, BracketsTheOptimumWhateverTheEvaluations) {
  const Clouds clouds = small_clouds();
  for (const auto& [lambda1, lambda2] : {std::pair{infinity, infinity}, {1.0, 50.0}, {infinity, 1.0}, {1.0, infinity}}) {
    Dense dense(clouds);
    dense.problem.epsilon = 0.01;
    dense.problem.lambda1 = lambda1;
    dense.problem.lambda2 = lambda2;
    dense.settings.tolerance = 1e-12;
    dense.settings.gap_tolerance = 1e-12;
    const double optimum = dense.solve().dual;
    dense.settings.epsilon_start = 0.01;
    for (const std::int64_t evaluations : {1, 2, 5, 20, 40}) {
      dense.settings.max_iterations = evaluations;
      const SinkhornSolution solution = dense.solve();
      EXPECT_LE(solution.dual, optimum + 1e-12) << evaluations;
      EXPECT_GE(solution.upper, optimum - 1e-12) << evaluations;
      EXPECT_EQ(solution.gap, solution.upper - solution.dual);
    }
  }
}

TEST(Sinkhorn, CentresBalancedPotentials) {
  Dense dense(small_clouds());
  const SinkhornSolution solution = dense.solve();
  EXPECT_NEAR(std::inner_product(solution.g.begin(), solution.g.end(), dense.problem.b.begin(), 0.0), 0.0, 1e-15);
}

TEST(Sinkhorn, TransposingTheProblemTransposesTheCoupling) {
  const Clouds clouds = small_clouds();
  const Clouds swapped{clouds.y, clouds.x, clouds.b, clouds.a, 3, clouds.scale};
  for (const auto& [lambda1, lambda2] : {std::pair{infinity, infinity}, {1.0, 50.0}, {infinity, 1.0}, {1.0, infinity}}) {
    Dense dense(clouds), other(swapped);
    dense.problem.lambda1 = other.problem.lambda2 = lambda1;
    dense.problem.lambda2 = other.problem.lambda1 = lambda2;
    dense.settings.tolerance = 1e-12;
    dense.settings.gap_tolerance = 1e-13;
    other.settings = dense.settings;
    const Vector coupling = dense.coupling(dense.solve());
    const Vector back = reference::transposed(other.coupling(other.solve()), 40);
    for (std::size_t k = 0; k < coupling.size(); ++k) EXPECT_NEAR(coupling[k], back[k], 1e-10);
  }
}

TEST(Sinkhorn, WithLargePenaltiesEqualsTheBalancedProblem) {
  Dense balanced(small_clouds()), relaxed(small_clouds());
  relaxed.problem.lambda1 = relaxed.problem.lambda2 = 1e6;
  for (Dense* dense : {&balanced, &relaxed}) dense->settings.tolerance = 1e-8;
  const SinkhornSolution solution = relaxed.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.primal, balanced.solve().primal, 1e-4);
  EXPECT_LE(solution.gap, 1e-4 * solution.primal);
}

TEST(Sinkhorn, PermutingPointsPermutesTheSolution) {
  Clouds clouds = small_clouds(), reversed = clouds;
  std::reverse(reversed.a.begin(), reversed.a.end());
  for (std::size_t i = 0; i < 40; ++i)
    for (std::size_t k = 0; k < 3; ++k) reversed.x[3 * i + k] = clouds.x[3 * (39 - i) + k];
  Dense dense(clouds), other(reversed);
  dense.settings.tolerance = other.settings.tolerance = 1e-12;
  const SinkhornSolution solution = dense.solve(), of_reversed = other.solve();
  for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(solution.f[i], of_reversed.f[39 - i], 1e-10);
}

TEST(Sinkhorn, StartsWarmFromItsOwnPotentials) {
  Dense dense(small_clouds());
  dense.problem.epsilon = 0.01;
  const SinkhornSolution cold = dense.solve();
  dense.problem.initial_g = cold.g;
  const SinkhornSolution warm = dense.solve();
  EXPECT_EQ(warm.evaluations, 1);
  EXPECT_EQ(warm.stop_reason, StopReason::converged);
}

TEST(Sinkhorn, NeedsFewerEvaluationsFromAWarmStart) {
  Clouds clouds = small_clouds();
  for (const double epsilon : {0.05, 0.01}) {
    Dense dense(clouds);
    dense.problem.epsilon = epsilon;
    dense.settings.tolerance = 1e-6;
    const SinkhornSolution before = dense.solve();
    Clouds perturbed = clouds;
    for (std::size_t j = 0; j < 30; ++j) perturbed.b[j] *= std::exp(0.3 * std::sin(7.0 * static_cast<double>(j)));
    perturbed.b = normalised(perturbed.b);
    Dense next(perturbed);
    next.problem.epsilon = epsilon;
    next.settings = dense.settings;
    const SinkhornSolution cold = next.solve();
    next.problem.initial_g = before.g;
    const SinkhornSolution warm = next.solve();
    EXPECT_LE(static_cast<double>(evaluations_until(warm, 1e-3)), 0.5 * static_cast<double>(evaluations_until(cold, 1e-3)));
    EXPECT_LE(static_cast<double>(warm.evaluations), 0.7 * static_cast<double>(cold.evaluations));
  }
}

TEST(Sinkhorn, DiscardsABadStart) {
  Dense dense(small_clouds());
  dense.problem.epsilon = 0.01;
  for (int j = 0; j < 30; ++j) dense.problem.initial_g.push_back(3.0 * std::sin(12.0 * j));
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_GT(solution.history[3].epsilon, 0.5) << "annealing begins after three evaluations";
}

TEST(Sinkhorn, TellsTheObserverWhatItKeeps) {
  Dense dense(small_clouds());
  std::vector<SinkhornRecord> seen;
  const SinkhornSolution solution = solve_sinkhorn(dense.context(), dense.problem, dense.settings, [&](const SinkhornRecord& record) { seen.push_back(record); });
  ASSERT_EQ(seen.size(), solution.history.size());
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), solution.evaluations);
  EXPECT_EQ(seen.back().stop_reason, StopReason::converged);
  EXPECT_EQ(seen.back().mode, "float64");
  EXPECT_EQ(seen.front().level, 0);
  EXPECT_EQ(seen.back().level, 5);  // 1, 1/2, .. 1/16 before 0.05
  EXPECT_TRUE(std::any_of(seen.begin(), seen.end(), [](const SinkhornRecord& record) { return record.is_accelerated; }));
}

TEST(Sinkhorn, ChecksOnlyAsOftenAsAsked) {
  Dense dense(small_clouds());
  dense.problem.epsilon = 0.01;
  const SinkhornSolution often = dense.solve();
  dense.settings.check_every = 10;
  const SinkhornSolution seldom = dense.solve();
  EXPECT_EQ(seldom.stop_reason, StopReason::converged);
  EXPECT_GE(seldom.evaluations, often.evaluations);
  EXPECT_LE(seldom.evaluations, often.evaluations + 10);
  EXPECT_LT(seldom.history.size(), often.history.size());
}

TEST(Sinkhorn, StopsWhenToldTo) {
  Dense dense(small_clouds());
  int asked = 0;
  const auto stop = [&]() -> std::optional<StopReason> {
    if (++asked < 20) return std::nullopt;
    return StopReason::interrupted;
  };
  const SinkhornSolution solution = solve_sinkhorn(dense.context(), dense.problem, dense.settings, {}, stop);
  EXPECT_EQ(solution.stop_reason, StopReason::interrupted);
  EXPECT_EQ(solution.evaluations, 20 + 1) << "the returned pair is measured once more";
  EXPECT_TRUE(std::isfinite(solution.upper));
}

TEST(SinkhornInFloat32, ConvergesByAFloat64Check) {
  Dense dense(small_clouds(), Precision::float32);
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.evaluations_float64, 1);
  EXPECT_LE(solution.error_target, dense.settings.tolerance);
  EXPECT_EQ(solution.history.back().mode, "float32");
}

TEST(SinkhornInFloat32, ContinuesInFloat64ForASmallTolerance) {
  Dense dense(small_clouds(), Precision::float32);
  dense.settings.tolerance = 1e-10;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.error_target, 1e-10);
  EXPECT_EQ(solution.history.back().mode, "float64");
  EXPECT_NEAR(solution.primal, 0.412500700999230, 1e-9);
  EXPECT_LT(solution.evaluations_float64, solution.evaluations / 2);
}

}  // namespace
}  // namespace thalweg
