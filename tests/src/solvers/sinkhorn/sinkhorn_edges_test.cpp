// Bad and degenerate problems.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

Vector uniform(std::size_t count) { return Vector(count, 1.0 / static_cast<double>(count)); }

void expect_refused(Dense& dense, const std::string& text) {
  try {
    dense.solve();
    FAIL() << "accepted; expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 2);
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(SinkhornInput, RefusesBadWeights) {
  for (const double bad : {-0.1, std::nan(""), infinity}) {
    Dense dense(small_clouds());
    dense.problem.b[7] = bad;
    expect_refused(dense, "weight of row 7 of the target");
  }
  Dense dense(small_clouds());
  std::fill(dense.problem.a.begin(), dense.problem.a.end(), 0.0);
  expect_refused(dense, "all weights of the source are zero");
  dense.problem.a.pop_back();
  expect_refused(dense, "39 source weights for 40 points");
}

TEST(SinkhornInput, RefusesUnequalSumsOfABalancedProblem) {
  Dense dense(small_clouds());
  for (double& weight : dense.problem.a) weight *= 1.01;
  expect_refused(dense, "sum to");
  dense.problem.lambda1 = dense.problem.lambda2 = 1.0;
  EXPECT_EQ(dense.solve().stop_reason, StopReason::converged);
}

TEST(SinkhornInput, RefusesEpsilonAndLambdaOutOfRange) {
  Dense dense(small_clouds());
  for (const double epsilon : {0.0, -1.0, std::nan(""), infinity}) {
    dense.problem.epsilon = epsilon;
    expect_refused(dense, "epsilon is");
  }
  dense.problem.epsilon = 1e-11;
  expect_refused(dense, "hiref");
  dense.problem.epsilon = 0.05;
  dense.problem.lambda2 = 0.0;
  expect_refused(dense, "lambda of the target");
}

TEST(SinkhornInput, RefusesABadWarmStart) {
  Dense dense(small_clouds());
  dense.problem.initial_g = Vector(29, 0.0);
  expect_refused(dense, "29 potentials for 30");
  dense.problem.initial_g = Vector(30, 0.0);
  dense.problem.initial_g[2] = std::nan("");
  expect_refused(dense, "row 2 of the warm start");
}

TEST(SinkhornEdges, ZeroWeightsActAsIfThePointsWereAbsent) {
  const Clouds clouds = small_clouds();
  for (const EntropyReference reference : {EntropyReference::product, EntropyReference::uniform}) {
    Clouds with_zeros = clouds, without = clouds;
    with_zeros.a[4] = with_zeros.b[9] = 0.0;
    without.a.erase(without.a.begin() + 4);
    without.x.erase(without.x.begin() + 12, without.x.begin() + 15);
    without.b.erase(without.b.begin() + 9);
    without.y.erase(without.y.begin() + 27, without.y.begin() + 30);
    Dense dense(with_zeros), smaller(without);
    for (Dense* each : {&dense, &smaller}) {
      each->problem.lambda1 = each->problem.lambda2 = 1.0;
      each->problem.reference = reference;
      each->settings.tolerance = 1e-12;
      each->settings.gap_tolerance = 1e-13;
    }
    const SinkhornSolution solution = dense.solve(), expected = smaller.solve();
    EXPECT_NEAR(solution.primal, expected.primal, 1e-10);
    EXPECT_NEAR(solution.smallest_row_ratio, expected.smallest_row_ratio, 1e-10);
    EXPECT_EQ(solution.row_sums[4], 0.0);
    EXPECT_EQ(solution.column_sums[9], 0.0);
    EXPECT_NEAR(solution.f[5], expected.f[4], 1e-10);
    const Vector coupling = dense.coupling(solution);
    for (std::size_t j = 0; j < 30; ++j) EXPECT_EQ(coupling[4 * 30 + j], 0.0);
  }
}

TEST(SinkhornEdges, PotentialsWithoutWeightAreThoseOfAnUpdate) {
  // A point of tiny weight has the same potential up to the reference, which its own weight cancels from.
  Clouds clouds = small_clouds(), tiny = clouds;
  clouds.a[4] = clouds.b[9] = 0.0;
  tiny.a[4] = tiny.b[9] = 1e-14;
  for (Clouds* each : {&clouds, &tiny}) each->a = normalised(each->a), each->b = normalised(each->b);
  Dense dense(clouds), other(tiny);
  dense.settings.tolerance = other.settings.tolerance = 1e-12;
  const SinkhornSolution solution = dense.solve(), expected = other.solve();
  EXPECT_NEAR(solution.f[4], expected.f[4], 1e-9);
  EXPECT_NEAR(solution.g[9], expected.g[9], 1e-9);
}

TEST(SinkhornEdges, OnePointOnEitherSide) {
  Dense single({2.5}, {1.0}, {1.0});
  const SinkhornSolution alone = single.solve();
  EXPECT_EQ(alone.stop_reason, StopReason::converged);
  EXPECT_NEAR(alone.cost, 2.5, 1e-14);
  EXPECT_NEAR(alone.primal, 2.5, 1e-14);
  Dense row({1.0, 2.0, 3.0}, {1.0}, uniform(3)), column({1.0, 2.0, 3.0}, uniform(3), {1.0});
  EXPECT_NEAR(row.solve().cost, 2.0, 1e-14);
  EXPECT_NEAR(column.solve().cost, 2.0, 1e-14);
}

TEST(SinkhornEdges, EqualCostsGiveTheProductCouplingAtOnce) {
  for (const double cost : {0.0, 1.0}) {
    Dense dense(Vector(12, cost), {0.2, 0.3, 0.5}, {0.1, 0.2, 0.3, 0.4});
    const SinkhornSolution solution = dense.solve();
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_LE(solution.evaluations, 2);
    const Vector coupling = dense.coupling(solution);
    for (std::size_t k = 0; k < 12; ++k) EXPECT_NEAR(coupling[k], dense.problem.a[k / 4] * dense.problem.b[k % 4], 1e-15);
  }
}

TEST(SinkhornEdges, ValuesOfZeroHaveAGapToo) {
  Dense dense(Vector(12, 0.0), {0.2, 0.3, 0.5}, {0.1, 0.2, 0.3, 0.4});
  dense.problem.lambda1 = dense.problem.lambda2 = 1.0;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.primal, 0.0, 1e-14);
}

TEST(SinkhornEdges, LargeEpsilonGivesTheProductCouplingAtOnce) {
  Dense dense(small_clouds());
  dense.problem.epsilon = 1e5;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.evaluations, 1);
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  const Vector coupling = dense.coupling(solution);
  for (std::size_t k = 0; k < coupling.size(); ++k) EXPECT_NEAR(coupling[k], dense.problem.a[k / 30] * dense.problem.b[k % 30], 1e-7);
}

TEST(SinkhornEdges, DuplicatedPointsShareTheirMass) {
  Clouds clouds = small_clouds();
  for (std::size_t k = 0; k < 3; ++k) clouds.x[3 + k] = clouds.x[k];
  Dense dense(clouds);
  dense.settings.tolerance = 1e-12;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.f[0], solution.f[1], 1e-11);
}

TEST(SinkhornEdges, TinyEpsilonRunsInFloat64AndEndsHonestly) {
  Dense dense(small_clouds(), Precision::float32);
  dense.problem.epsilon = 5e-7;
  dense.settings.max_iterations = 300;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.evaluations_float64, solution.evaluations);
  EXPECT_TRUE(std::isfinite(solution.dual));
  EXPECT_LE(solution.dual, solution.upper);
  if (solution.stop_reason == StopReason::converged) {
    EXPECT_LE(solution.error_target, dense.settings.tolerance);
  }
}

TEST(SinkhornEdges, StartWithoutAnnealingSurvivesUnderflow) {
  Clouds clouds = small_clouds();
  for (std::size_t k = 0; k < 3; ++k) clouds.y[k] = 60.0;  // exp(-C / epsilon) of this column is 0 in double
  Dense dense(clouds);
  dense.problem.epsilon = 0.5;
  dense.settings.epsilon_start = 0.5;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
}

TEST(SinkhornEdges, BoundsAreNumbersWhereColumnsAreStillEmpty) {
  Clouds clouds = small_clouds();
  for (std::size_t k = 0; k < 3; ++k) clouds.y[k] = 60.0;  // out of reach of the first evaluation
  Dense dense(clouds);
  dense.problem.epsilon = 0.5;
  dense.problem.lambda1 = 1.0;  // the source alone is relaxed
  dense.settings.epsilon_start = 0.5;
  dense.settings.max_iterations = 1;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::max_iterations);
  EXPECT_TRUE(std::isfinite(solution.dual));
  EXPECT_FALSE(std::isnan(solution.upper));
  EXPECT_LE(solution.dual, solution.upper);
}

TEST(SinkhornEdges, WithoutACertificateThereIsNoUpperBound) {
  Dense dense(small_clouds());
  dense.settings.max_iterations = 3;
  const SinkhornSolution certified = dense.solve();
  EXPECT_EQ(certified.stop_reason, StopReason::max_iterations);
  EXPECT_GT(certified.gap, 0.0);
  dense.settings.certify = false;
  const SinkhornSolution plain = dense.solve();
  EXPECT_TRUE(std::isnan(plain.upper));
  EXPECT_TRUE(std::isnan(plain.gap));
  EXPECT_EQ(plain.dual, certified.dual);
}

TEST(SinkhornEdges, LostMassIsCalledCollapsed) {
  Clouds clouds = small_clouds();
  for (double& value : clouds.y) value += 30.0;
  Dense dense(clouds);
  dense.problem.lambda1 = dense.problem.lambda2 = 1.0;
  EXPECT_TRUE(dense.solve().is_collapsed);
  dense.problem.lambda1 = dense.problem.lambda2 = 1e4;
  EXPECT_FALSE(dense.solve().is_collapsed);
}

TEST(SinkhornEdges, StagnationIsReportedWhereRoundingForbidsMore) {
  Dense dense(small_clouds());
  dense.settings.tolerance = 1e-18;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::stagnated);
  EXPECT_LE(solution.error_target, 1e-14);
}

TEST(SinkhornEdges, CostsThatAreNotFiniteAreReported) {
  Vector costs = small_clouds().costs();
  costs[5] = std::nan("");
  const Clouds clouds = small_clouds();
  Dense dense(costs, clouds.a, clouds.b);
  EXPECT_EQ(dense.solve().stop_reason, StopReason::nonfinite);
}

}  // namespace
}  // namespace thalweg
