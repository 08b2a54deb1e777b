// Gradients against central differences of converged values.
#include "solvers/sinkhorn/gradients.hpp"

#include <gtest/gtest.h>

#include "cases.hpp"
#include "solvers/sinkhorn/divergence.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

constexpr double step = 1e-5;

struct Penalties {
  double lambda1, lambda2;
};

Dense converged_problem(const Clouds& clouds, Penalties penalties) {
  Dense dense(clouds);
  dense.problem.lambda1 = penalties.lambda1;
  dense.problem.lambda2 = penalties.lambda2;
  dense.settings.tolerance = 1e-13;
  dense.settings.gap_tolerance = 1e-14;
  return dense;
}

double value_of(const Clouds& clouds, Penalties penalties) { return converged_problem(clouds, penalties).solve().dual; }

/// Central difference of `value` by one entry.
template <class Value>
double difference(Clouds clouds, Vector Clouds::* field, std::size_t index, Value&& value) {
  Clouds lower = clouds;
  (clouds.*field)[index] += step;
  (lower.*field)[index] -= step;
  return (value(clouds) - value(lower)) / (2.0 * step);
}

struct Gradients : testing::TestWithParam<Penalties> {
  Clouds clouds = small_clouds();
  Dense dense = converged_problem(clouds, GetParam());
  SinkhornSolution solution = dense.solve();
  GradientPoints points{3, clouds.x, clouds.y};
  double value(const Clouds& moved) const { return value_of(moved, GetParam()); }
};

TEST_P(Gradients, ByPointsEqualCentralDifferences) {
  const Vector by_x = source_point_gradient(*dense.geometry, solution, points);
  const Vector by_y = target_point_gradient(*dense.geometry, solution, points);
  for (const std::size_t k : {0u, 17u, 119u}) EXPECT_NEAR(by_x[k], difference(clouds, &Clouds::x, k, [&](const Clouds& c) { return value(c); }), 1e-6);
  for (const std::size_t k : {1u, 44u, 89u}) EXPECT_NEAR(by_y[k], difference(clouds, &Clouds::y, k, [&](const Clouds& c) { return value(c); }), 1e-6);
}

TEST_P(Gradients, ByWeightsEqualCentralDifferences) {
  const bool is_balanced = std::isinf(GetParam().lambda1) && std::isinf(GetParam().lambda2);
  if (is_balanced) return;  // the sum of weights is fixed: next test
  if (!std::isinf(GetParam().lambda1)) {
    const Vector by_a = source_weight_gradient(dense.problem, solution);
    for (const std::size_t i : {0u, 13u, 39u}) EXPECT_NEAR(by_a[i], difference(clouds, &Clouds::a, i, [&](const Clouds& c) { return value(c); }), 1e-6);
  }
  const Vector by_b = target_weight_gradient(dense.problem, solution);
  for (const std::size_t j : {0u, 29u}) EXPECT_NEAR(by_b[j], difference(clouds, &Clouds::b, j, [&](const Clouds& c) { return value(c); }), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Penalties, Gradients, testing::Values(Penalties{infinity, infinity}, Penalties{1.0, 50.0}, Penalties{infinity, 1.0}),
                         [](const auto& param_info) { return "case" + std::to_string(param_info.index); });

TEST(BalancedWeightGradient, EqualsDifferencesThatKeepTheSum) {
  const Clouds clouds = small_clouds();
  Dense dense = converged_problem(clouds, {infinity, infinity});
  const SinkhornSolution solution = dense.solve();
  const Vector by_a = source_weight_gradient(dense.problem, solution), by_b = target_weight_gradient(dense.problem, solution);
  const auto moved = [&](double size, bool is_source) {
    Clouds result = clouds;
    Vector& weights = is_source ? result.a : result.b;
    weights[3] += size;
    weights[8] -= size;
    return value_of(result, {infinity, infinity});
  };
  EXPECT_NEAR(by_a[3] - by_a[8], (moved(step, true) - moved(-step, true)) / (2 * step), 1e-6);
  EXPECT_NEAR(by_b[3] - by_b[8], (moved(step, false) - moved(-step, false)) / (2 * step), 1e-6);
}

TEST(PointGradient, HasThePublishedValuesAtFivePercent) {
  const Clouds clouds = small_clouds();
  Dense dense = converged_problem(clouds, {infinity, infinity});
  const SinkhornSolution solution = dense.solve();
  const Vector gradient = source_point_gradient(*dense.geometry, solution, {3, clouds.x, clouds.y});
  EXPECT_NEAR(gradient[0], 0.00130721, 1e-8);
  EXPECT_NEAR(gradient[1], 0.00157688, 1e-8);
  EXPECT_NEAR(gradient[2], -0.00230833, 1e-8);
  double square = 0.0;
  for (const double entry : gradient) square += entry * entry;
  EXPECT_NEAR(std::sqrt(square), 0.0917098308490017, 1e-10);
}

struct SelfPair {
  Dense cross, source, target;
  DivergenceSolution solution;
};

SelfPair divergence_parts(const Clouds& clouds, double lambda) {
  SelfPair parts{converged_problem(clouds, {lambda, lambda}), Dense(clouds.source_with_itself()), Dense(clouds.target_with_itself()), {}};
  parts.source.problem.lambda1 = parts.source.problem.lambda2 = lambda;
  parts.solution = solve_divergence(parts.cross.context(), {parts.cross.problem, parts.source.geometry.get(), parts.target.geometry.get()}, parts.cross.settings);
  return parts;
}

TEST(DivergenceGradient, EqualsCentralDifferencesOfTheDivergence) {
  const Clouds clouds = small_clouds();
  const double lambda = 2.0;
  const SelfPair parts = divergence_parts(clouds, lambda);
  const Vector by_x = divergence_point_gradient(source_point_gradient(*parts.cross.geometry, parts.solution.cross, {3, clouds.x, clouds.y}),
                                                source_point_gradient(*parts.source.geometry, parts.solution.source_self, {3, clouds.x, clouds.x}));
  const Vector by_a = divergence_weight_gradient(parts.cross.problem, parts.solution.cross, parts.source.problem, parts.solution.source_self);
  const auto value = [&](const Clouds& moved) { return divergence_parts(moved, lambda).solution.value; };
  for (const std::size_t k : {2u, 77u}) EXPECT_NEAR(by_x[k], difference(clouds, &Clouds::x, k, value), 1e-6);
  for (const std::size_t i : {5u, 30u}) EXPECT_NEAR(by_a[i], difference(clouds, &Clouds::a, i, value), 1e-6);
}

}  // namespace
}  // namespace thalweg
