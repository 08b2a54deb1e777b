#include "solvers/sinkhorn/divergence.hpp"

#include <gtest/gtest.h>

#include "cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Divergence {
  Dense cross, source, target;
  DivergenceProblem problem;

  explicit Divergence(const Clouds& clouds)
      : cross(clouds), source(clouds.source_with_itself()), target(clouds.target_with_itself()) {
    problem = {cross.problem, source.geometry.get(), target.geometry.get()};
    cross.settings.tolerance = 1e-11;
    cross.settings.gap_tolerance = 1e-12;
  }
  DivergenceSolution solve() const { return solve_divergence(cross.context(), problem, cross.settings); }
};

TEST(SinkhornDivergence, HasThePublishedValues) {
  Divergence divergence(small_clouds());
  for (const auto& [epsilon, value] : {std::pair{0.5, 0.188160241039041}, {0.05, 0.285344891511486}}) {
    divergence.problem.cross.epsilon = epsilon;
    const DivergenceSolution solution = divergence.solve();
    EXPECT_NEAR(solution.value, value, 1e-9);
    EXPECT_FALSE(solution.is_below_resolution);
    for (const SinkhornSolution* part : {&solution.cross, &solution.source_self, &solution.target_self})
      EXPECT_EQ(part->stop_reason, StopReason::converged);
  }
}

TEST(SinkhornDivergence, OfACloudFromItselfIsZeroAndBelowResolution) {
  Clouds clouds = small_clouds();
  clouds.y = clouds.x;
  clouds.b = clouds.a;
  Divergence divergence(clouds);
  divergence.cross.settings.tolerance = 1e-6;
  const DivergenceSolution solution = divergence.solve();
  EXPECT_TRUE(solution.is_below_resolution);
  EXPECT_LE(std::abs(solution.value), solution.resolution);
}

TEST(SinkhornDivergence, OfUnequalMassesIsPositiveAndVanishesForEqualClouds) {
  Clouds clouds = small_clouds();
  for (double& weight : clouds.b) weight *= 1.7;
  for (const bool is_equal : {false, true}) {
    if (is_equal) clouds.y = clouds.x, clouds.b = clouds.a;
    Divergence divergence(clouds);
    divergence.problem.cross.lambda1 = divergence.problem.cross.lambda2 = 2.0;
    const DivergenceSolution solution = divergence.solve();
    EXPECT_EQ(solution.source_self.stop_reason, StopReason::converged);
    if (is_equal) {
      EXPECT_NEAR(solution.value, 0.0, 1e-9);
    } else {
      EXPECT_GT(solution.value, 0.1);
    }
  }
}

TEST(SelfTransport, GivesTheValueOfTheTwoSidedIterationInFewerEvaluations) {
  const Clouds clouds = small_clouds();
  for (const double lambda : {infinity, 2.0}) {
    Dense dense(clouds.source_with_itself());
    dense.problem.epsilon = 0.01;
    dense.problem.lambda1 = dense.problem.lambda2 = lambda;
    dense.settings.tolerance = 1e-10;
    dense.settings.gap_tolerance = 1e-12;
    const SinkhornSolution two_sided = dense.solve();
    dense.problem.is_symmetric = true;
    const SinkhornSolution symmetric = dense.solve();
    EXPECT_EQ(symmetric.stop_reason, StopReason::converged);
    EXPECT_NEAR(symmetric.dual, two_sided.dual, 1e-11);
    EXPECT_LE(symmetric.evaluations, two_sided.evaluations + 1);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(symmetric.f[i], symmetric.g[i] + (symmetric.f[0] - symmetric.g[0]), 1e-8);
  }
}

TEST(SelfTransport, InFloat32ContinuesInFloat64ForASmallTolerance) {
  Dense dense(small_clouds().source_with_itself(), Precision::float32);
  dense.problem.is_symmetric = true;
  dense.settings.tolerance = 1e-9;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.error_target, 1e-9);
  EXPECT_LE(solution.evaluations, 40);
}

TEST(SinkhornDivergence, RefusesOtherReferencesAndUnequalPenalties) {
  Divergence divergence(small_clouds());
  divergence.problem.cross.lambda1 = 1.0;
  EXPECT_THROW(divergence.solve(), ConfigError);
  divergence.problem.cross.lambda1 = infinity;
  divergence.problem.cross.reference = EntropyReference::counting;
  EXPECT_THROW(divergence.solve(), ConfigError);
}

}  // namespace
}  // namespace thalweg
