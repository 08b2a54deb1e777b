#include "exact/assignment.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "distributed/error.hpp"
#include "exact/transport.hpp"
#include "golden_cases.hpp"
#include "kernels/random.hpp"

namespace thalweg {
namespace {

/// A permutation of the stated cost, and potentials that prove it.
void expect_certified(const AssignmentSolution& solution, const std::vector<double>& cost) {
  const std::size_t n = solution.column.size();
  auto columns = solution.column;
  std::sort(columns.begin(), columns.end());
  double value = 0.0, scale = 0.0;
  for (const double entry : cost) scale = std::max(scale, std::abs(entry));
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_EQ(columns[i], static_cast<std::int32_t>(i));
    value += cost[i * n + static_cast<std::size_t>(solution.column[i])];
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_GE(cost[i * n + j] - solution.row_potential[i] - solution.column_potential[j], -1e-14 * scale);
    }
  }
  EXPECT_NEAR(solution.cost, value, 1e-14 * scale * static_cast<double>(n));
  EXPECT_LE(std::abs(solution.gap), 1e-13 * scale * static_cast<double>(n));
}

TEST(Assignment, ValueEqualsScipy) {
  for (const auto& golden : testing_support::read_golden_cases("assignment.txt")) {
    SCOPED_TRACE(golden.name);
    const auto solution = solve_certified_assignment<double>(golden.rows, golden.arrays[0]);
    expect_certified(solution, golden.arrays[0]);
    EXPECT_NEAR(solution.cost, golden.value, 1e-12 * std::max(1.0, std::abs(golden.value)));
  }
}

TEST(Assignment, ValueEqualsTransportOnRandomProblems) {
  const RandomStream random{.seed = 11, .stream = 0};
  std::uint64_t draw = 0;
  for (int trial = 0; trial < 300; ++trial) {
    SCOPED_TRACE(trial);
    const auto n = 1 + static_cast<std::int64_t>(random.uniform(draw++) * 30);
    const double levels = trial % 2 ? 5.0 : 0.0;  // ties, or none
    Matrix cost(n, n);
    for (double& value : cost.values) {
      value = random.uniform(draw++) - 0.5;
      if (levels > 0.0) value = std::floor(levels * value);
    }
    const auto solution = solve_certified_assignment<double>(n, cost.values);
    expect_certified(solution, cost.values);
    const std::vector<double> mass(static_cast<std::size_t>(n), 1.0);
    EXPECT_NEAR(solution.cost, solve_transport(mass, mass, cost).cost, 1e-12 * static_cast<double>(n));
  }
}

TEST(Assignment, FloatCostsGiveTheSamePermutation) {
  const std::int64_t n = 200;
  const RandomStream random{.seed = 5, .stream = 2};
  std::vector<float> cost(n * n);
  for (std::size_t entry = 0; entry < cost.size(); ++entry) cost[entry] = static_cast<float>(random.normal(entry));
  const std::vector<double> wide(cost.begin(), cost.end());
  EXPECT_EQ(solve_assignment<float>(n, cost), solve_assignment<double>(n, wide));
}

TEST(Assignment, DistantSecondChoicesDoNotLoseTheOptimum) {
  const std::vector<double> cost{1e12, 1.0, 2.0, 1e12, 1.5, 1e12, 0.5, 1.0, 1e12};
  EXPECT_EQ(solve_assignment<double>(3, cost), (std::vector<std::int32_t>{2, 1, 0}));
}

TEST(Assignment, EmptyAndSingleProblemsWork) {
  EXPECT_TRUE(solve_assignment<double>(0, {}).empty());
  EXPECT_EQ(solve_assignment<double>(1, std::vector{-3.0}), std::vector<std::int32_t>{0});
}

TEST(Assignment, BadInputIsRefused) {
  EXPECT_THROW(solve_assignment<double>(2, std::vector{1.0, 2.0}), DataError);
  EXPECT_THROW(solve_assignment<float>(1, std::vector{std::numeric_limits<float>::infinity()}), NumericalError);
}

}  // namespace
}  // namespace thalweg
