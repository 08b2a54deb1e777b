// How many evaluations the solver needs: acceleration is worth what was measured, and never loses to plain updates.
#include <gtest/gtest.h>

#include <random>

#include "cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

Vector mean_scaled(Vector costs) {
  double sum = 0.0;
  for (const double cost : costs) sum += cost;
  for (double& cost : costs) cost *= static_cast<double>(costs.size()) / sum;
  return costs;
}

Vector half(const Vector& values, bool is_second) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  return is_second ? Vector(middle, values.end()) : Vector(values.begin(), middle);
}

Dense dense_for(const Vector& points, std::int64_t dimension) {
  const Vector weights(1000, 1e-3);
  return {mean_scaled(reference::squared_distances(half(points, false), half(points, true), dimension)), weights, weights};
}

Dense mixture() {
  const std::vector<float> points = read_golden<float>("sinkhorn_mixture.f32", 60000);
  return dense_for({points.begin(), points.end()}, 30);
}

Dense s_curve() { return dense_for(read_golden<double>("sinkhorn_scurve.f64", 4000), 2); }

struct Limits {
  double epsilon;
  std::int64_t to_1e3, to_1e6;
};

void expect_within(Dense& dense, const Limits& limits) {
  dense.problem.epsilon = limits.epsilon;
  dense.settings.tolerance = 1e-6;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(evaluations_until(solution, 1e-3), limits.to_1e3) << "epsilon " << limits.epsilon;
  EXPECT_LE(evaluations_until(solution, 1e-6), limits.to_1e6) << "epsilon " << limits.epsilon;
  EXPECT_EQ(solution.evaluations, evaluations_until(solution, 1e-6));
}

TEST(Evaluations, OfTheMixtureStayWithinTheTargets) {
  Dense dense = mixture();
  for (const Limits& limits : {Limits{0.05, 40, 52}, {0.01, 78, 115}, {0.005, 108, 180}}) expect_within(dense, limits);
}

TEST(Evaluations, OfTheSCurveStayWithin15PercentOfTheMeasuredOnes) {
  Dense dense = s_curve();
  for (const Limits& limits : {Limits{0.05, 25, 31}, {0.01, 43, 62}, {0.005, 55, 75}}) expect_within(dense, limits);
}

std::int64_t evaluations_to_gap(Dense& dense, double epsilon, double lambda1, double lambda2) {
  dense.problem.epsilon = epsilon;
  dense.problem.lambda1 = lambda1;
  dense.problem.lambda2 = lambda2;
  dense.settings.tolerance = 1.0;
  dense.settings.gap_tolerance = 1e-8;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_GE(solution.gap, 0.0);
  EXPECT_LE(solution.gap, 1e-8 * std::abs(solution.dual) + 1e-14);
  return solution.evaluations;
}

TEST(Evaluations, OfRelaxedProblemsStayWithinTheTargets) {
  Dense dense = mixture();
  EXPECT_LE(evaluations_to_gap(dense, 0.01, 1.0, 50.0), 100);
  EXPECT_LE(evaluations_to_gap(dense, 0.05, 1.0, 50.0), 43);
  EXPECT_LE(evaluations_to_gap(dense, 0.05, infinity, 1.0), 41);
  EXPECT_LE(evaluations_to_gap(dense, 0.01, infinity, 1.0), 78);
  Dense curve = s_curve();
  EXPECT_LE(evaluations_to_gap(curve, 0.05, 1.0, 50.0), 29);
  EXPECT_LE(evaluations_to_gap(curve, 0.01, 1.0, 50.0), 56);
  EXPECT_LE(evaluations_to_gap(curve, 0.05, infinity, 1.0), 28);
  EXPECT_LE(evaluations_to_gap(curve, 0.01, infinity, 1.0), 50);
}

/// Log-normal factors on the weights of the target.
Vector perturbed(Vector weights) {
  std::mt19937_64 generator(3);
  std::normal_distribution<double> normal;
  for (double& weight : weights) weight *= std::exp(0.3 * normal(generator));
  return normalised(weights);
}

TEST(WarmStart, NeedsHalfOfTheEvaluationsOnTheMixture) {
  Dense dense = mixture();
  dense.settings.tolerance = 1e-6;
  for (const double epsilon : {0.05, 0.01}) {
    dense.problem.epsilon = epsilon;
    dense.problem.b = Vector(1000, 1e-3);
    dense.problem.initial_g.clear();
    Vector start = dense.solve().g;
    dense.problem.b = perturbed(dense.problem.b);
    const SinkhornSolution cold = dense.solve();
    dense.problem.initial_g = std::move(start);
    const SinkhornSolution warm = dense.solve();
    EXPECT_LE(2 * evaluations_until(warm, 1e-3), evaluations_until(cold, 1e-3));
    EXPECT_LE(10 * warm.evaluations, 7 * cold.evaluations);
  }
}

TEST(RandomProblems, AllConvergeAndNoneIsSlowerThanPlainUpdates) {
  std::mt19937_64 generator(5);
  std::uniform_real_distribution<double> exponent(-3.0, 0.0);
  for (int k = 0; k < 20; ++k) {
    const Clouds clouds = random_clouds(generator);
    Dense dense(mean_scaled(clouds.costs()), clouds.a, clouds.b);
    dense.problem.epsilon = std::pow(10.0, exponent(generator));
    dense.settings.max_iterations = 5000;
    SCOPED_TRACE("problem " + std::to_string(k) + ", epsilon " + std::to_string(dense.problem.epsilon));
    const SinkhornSolution solution = dense.solve();
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    dense.settings.acceleration = Acceleration::none;
    dense.settings.max_iterations = solution.evaluations;
    const SinkhornSolution plain = dense.solve();
    EXPECT_GE(evaluations_until(plain, dense.settings.tolerance), solution.evaluations);
    for (const SinkhornSolution* bounds : {&solution, &plain}) {
      EXPECT_LE(bounds->dual, solution.upper);
      EXPECT_LE(solution.dual, bounds->upper);
    }
  }
}

TEST(Overrelaxation, NeedsLessThanHalfOfThePlainEvaluations) {
  Dense dense = mixture();
  dense.problem.epsilon = 0.01;
  dense.settings.tolerance = 1e-6;
  dense.settings.acceleration = Acceleration::overrelax;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.evaluations, 882 / 2);
}

}  // namespace
}  // namespace thalweg
