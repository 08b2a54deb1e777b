// Degenerate chains: few rows, few types, equal rows, weights of zero, units.
#include <gtest/gtest.h>

#include "clouds.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;

HmOtSolution solve(const std::vector<Cloud>& clouds, std::vector<std::int64_t> num_types, Precision precision = Precision::float64, const HmOtSettings& settings = {}) {
  static const Alone alone;  // solutions keep a reference to its communicator
  return solve_hm_ot(alone.context(precision), testing_support::chain_problem(*alone.comm, clouds, std::move(num_types)), settings);
}

double best_of_seeds(const std::vector<Cloud>& clouds, const std::vector<std::int64_t>& num_types, std::uint64_t num_seeds) {
  static const Alone alone;
  double best = std::numeric_limits<double>::infinity();
  for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
    const HmOtProblem problem = testing_support::chain_problem(*alone.comm, clouds, num_types);
    best = std::min(best, solve_hm_ot(alone.context(Precision::float64, seed), problem, {}).state.objective);
  }
  return best;
}

double product_cost(const Cloud& x, const Cloud& y) {
  const std::vector<double> a = x.normalised_weights(), b = y.normalised_weights();
  double cost = 0.0;
  for (std::int64_t i = 0; i < x.num_rows; ++i)
    for (std::int64_t j = 0; j < y.num_rows; ++j)
      for (std::int64_t f = 0; f < x.dimension; ++f)
        cost += a[static_cast<std::size_t>(i)] * b[static_cast<std::size_t>(j)] * (x(i, f) - y(j, f)) * (x(i, f) - y(j, f));
  return cost;
}

const Precision precisions[] = {Precision::float32, Precision::float64};

TEST(HmOtEdges, OneRowASliceIsCoupledToTheOther) {
  for (const Precision precision : precisions) {
    const HmOtSolution solution = solve({{1, 2, {0.0f, 1.0f}}, {1, 2, {3.0f, 5.0f}}}, {1}, precision);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.state.objective, 25.0, 1e-5);
  }
}

TEST(HmOtEdges, OneTypeIsTheProductCoupling) {
  const std::vector<Cloud> clouds{testing_support::gaussian_cloud(300, 3, 2, 3.0, 0.0, 81), testing_support::gaussian_cloud(200, 3, 2, 3.0, 1.0, 82)};
  const double expected = product_cost(clouds[0], clouds[1]);
  for (const Precision precision : precisions) {
    const HmOtSolution solution = solve(clouds, {1}, precision);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.state.objective, expected, (precision == Precision::float32 ? 1e-6 : 1e-12) * expected);
  }
}

TEST(HmOtEdges, EqualRowsCostNothing) {
  for (const Precision precision : precisions)
    for (const std::int64_t types : {1, 3}) {
      const Cloud cloud{50, 2, std::vector<float>(100, 1.5f)};
      const HmOtSolution solution = solve({cloud, cloud}, {types}, precision);
      EXPECT_EQ(solution.stop_reason, StopReason::converged);
      EXPECT_NEAR(solution.state.objective, 0.0, 1e-12);
      EXPECT_NEAR(testing_support::sum_of(solution.state.couplings[0].values), 1.0, 1e-12);
    }
}

TEST(HmOtEdges, DuplicatesOfThreePointsAreThreeTypes) {
  Cloud x{90, 2, {}}, y{60, 2, {}};
  for (int i = 0; i < 90; ++i) x.features.insert(x.features.end(), {static_cast<float>(10 * (i % 3)), static_cast<float>(i % 3)});
  for (int i = 0; i < 60; ++i) y.features.insert(y.features.end(), {static_cast<float>(10 * (i % 3)), static_cast<float>(i % 3 + 1)});
  for (const Precision precision : precisions) {
    const HmOtSolution solution = solve({x, y}, {3}, precision);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_LE(solution.column_error, 1e-6);
    // Masses that are off by the column error travel between two groups, at most 20^2 + 3^2 far.
    const double misplaced = precision == Precision::float32 ? 2e-6 * 409.0 : 1e-4;
    EXPECT_NEAR(solution.state.objective, 1.0, misplaced);
  }
}

TEST(HmOtEdges, AsManyTypesAsRowsIsExactTransport) {
  const std::vector<Cloud> clouds{testing_support::gaussian_cloud(6, 2, 2, 8.0, 0.0, 83), testing_support::gaussian_cloud(6, 2, 2, 8.0, 0.5, 84)};
  const HmOtSolution solution = solve(clouds, {6});
  EXPECT_GE(solution.state.objective, solution.full_rank_reference - 1e-9);
  EXPECT_LE(solution.state.objective, 1.02 * solution.full_rank_reference + 1e-9);
}

TEST(HmOtEdges, ASliceMayHaveFewerRowsThanAnotherHasTypes) {
  const HmOtSolution solution = solve({testing_support::gaussian_cloud(4, 3, 2, 6.0, 0.0, 85), testing_support::gaussian_cloud(500, 3, 8, 6.0, 0.5, 86)}, {2, 8});
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.column_error, 1e-10);
  EXPECT_LT(solution.state.objective, product_cost(testing_support::gaussian_cloud(4, 3, 2, 6.0, 0.0, 85), testing_support::gaussian_cloud(500, 3, 8, 6.0, 0.5, 86)));
}

/// Three separated groups, so that any start ends in the same types.
std::vector<Cloud> separated() {
  std::vector<Cloud> clouds;
  for (std::uint32_t t = 0; t < 3; ++t) {
    Cloud cloud{240, 2, {}};
    const RandomStream random{92, t};
    for (std::int64_t i = 0; i < 240; ++i)
      for (std::int64_t j = 0; j < 2; ++j)
        cloud.features.push_back(static_cast<float>((j == 0 ? 12.0 * static_cast<double>(i % 3) : static_cast<double>(t)) + random.normal(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j))));
    clouds.push_back(std::move(cloud));
  }
  return clouds;
}

TEST(HmOtEdges, ACellOfWeightTwoEqualsTwoCells) {
  const std::vector<Cloud> clouds = separated();
  std::vector<Cloud> weighted = clouds, repeated = clouds;
  for (std::size_t t = 0; t < 3; ++t) {
    weighted[t].weights.assign(240, 1.0);
    for (std::int64_t i = 0; i < 240; i += 4) {
      weighted[t].weights[static_cast<std::size_t>(i)] = 2.0;
      repeated[t].features.insert(repeated[t].features.end(), clouds[t].features.begin() + 2 * i, clouds[t].features.begin() + 2 * i + 2);
      ++repeated[t].num_rows;
    }
  }
  // Descent ends where a mass step gains less than 1e-5, so seeds differ by a few of these: the best of four are compared.
  const double a = best_of_seeds(weighted, {3}, 4), b = best_of_seeds(repeated, {3}, 4);
  EXPECT_NEAR(a, b, 1e-4 * b);
}

TEST(HmOtEdges, CellsOfWeightZeroDoNotCount) {
  std::vector<Cloud> clouds = separated(), weighted = clouds;
  for (Cloud& cloud : weighted) {
    cloud.weights.assign(240, 1.0);
    cloud.features.insert(cloud.features.end(), {500.0f, -500.0f});
    cloud.weights.push_back(0.0);
    ++cloud.num_rows;
  }
  const HmOtSolution solution = solve(weighted, {3});
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  const double expected = solve(clouds, {3}).state.objective;
  EXPECT_NEAR(solution.state.objective, expected, 1e-4 * expected);
}

TEST(HmOtEdges, UnitsOfTheCoordinatesDoNotMatter) {
  const std::vector<Cloud> clouds = separated();
  for (const Precision precision : precisions) {
    const HmOtSolution expected = solve(clouds, {3, 4, 3}, precision);
    for (const float factor : {0x1p13f, 0x1p-13f}) {
      std::vector<Cloud> scaled = clouds;
      for (Cloud& cloud : scaled)
        for (float& value : cloud.features) value *= factor;
      const HmOtSolution solution = solve(scaled, {3, 4, 3}, precision);
      EXPECT_EQ(solution.passes, expected.passes);
      EXPECT_NEAR(solution.state.objective, expected.state.objective * std::pow(static_cast<double>(factor), 2), 1e-12 * solution.state.objective);
      for (std::size_t t = 0; t < 3; ++t) {
        const std::vector<double> a = slice_memberships(solution, t, 0, 1), b = slice_memberships(expected, t, 0, 1);
        EXPECT_LE(testing_support::largest_difference(a, b), 1e-6);
      }
    }
  }
}

TEST(HmOtEdges, RunningOutOfSweepsIsSaid) {
  HmOtSettings settings;
  settings.max_iterations = 2;
  EXPECT_EQ(solve(separated(), {3}, Precision::float64, settings).stop_reason, StopReason::max_iterations);
}

}  // namespace
}  // namespace thalweg
