#include "exact/transport.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "distributed/error.hpp"
#include "golden_cases.hpp"
#include "kernels/random.hpp"

namespace thalweg {
namespace {

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Feasibility, forbidden zeros, dual feasibility and complementary slackness.
void expect_certified(const TransportSolution& solution, const std::vector<double>& a, const std::vector<double>& b,
                      const Matrix& cost, const Matrix* allowed = nullptr) {
  double scale = 0.0;
  std::vector<double> column_sums(b.size());
  for (std::int64_t k = 0; k < cost.rows; ++k) {
    double row_sum = 0.0;
    for (std::int64_t l = 0; l < cost.columns; ++l) {
      const double mass = solution.coupling(k, l);
      row_sum += mass;
      column_sums[static_cast<std::size_t>(l)] += mass;
      ASSERT_GE(mass, 0.0);
      if (allowed && (*allowed)(k, l) == 0.0) {
        ASSERT_EQ(mass, 0.0);
        continue;
      }
      scale = std::max(scale, std::abs(cost(k, l)));
      const double slack = cost(k, l) - solution.row_potential[static_cast<std::size_t>(k)] -
                           solution.column_potential[static_cast<std::size_t>(l)];
      const double size = scale + std::abs(solution.row_potential[static_cast<std::size_t>(k)]);
      EXPECT_GE(slack, -1e-14 * size);
      if (mass > 0.0) {
        EXPECT_LE(slack, 1e-13 * size);
      }
    }
    EXPECT_NEAR(row_sum, a[static_cast<std::size_t>(k)], 2e-15 * sum(a));
  }
  for (std::size_t l = 0; l < b.size(); ++l) EXPECT_NEAR(column_sums[l], b[l], 2e-15 * sum(a));
  EXPECT_LE(std::abs(solution.gap), 1e-13 * scale * sum(a));
}

TEST(Transport, CostEqualsPotAndHighs) {
  for (const auto& golden : testing_support::read_golden_cases("transport.txt")) {
    SCOPED_TRACE(golden.name);
    const Matrix cost = golden.matrix(2), allowed = golden.matrix(3);
    const auto solution = solve_transport(golden.arrays[0], golden.arrays[1], cost, &allowed);
    expect_certified(solution, golden.arrays[0], golden.arrays[1], cost, &allowed);
    EXPECT_NEAR(solution.cost, golden.value, 1e-12 * std::max(1.0, std::abs(golden.value)));
    EXPECT_LE(solution.unplaced, 1e-14);
  }
}

TEST(Transport, RandomProblemsAreCertified) {
  const RandomStream random{.seed = 7, .stream = 0};
  std::uint64_t draw = 0;
  const auto uniform = [&] { return random.uniform(draw++); };
  for (int trial = 0; trial < 400; ++trial) {
    SCOPED_TRACE(trial);
    const auto rows = 1 + static_cast<std::int64_t>(uniform() * 40),
               columns = 1 + static_cast<std::int64_t>(uniform() * 40);
    const bool few_levels = trial % 2 == 0, masked = trial % 3 == 0;
    Matrix cost(rows, columns), allowed(rows, columns, 1.0), witness(rows, columns);
    std::vector<double> a(static_cast<std::size_t>(rows)), b(static_cast<std::size_t>(columns));
    for (std::int64_t k = 0; k < rows; ++k) {
      for (std::int64_t l = 0; l < columns; ++l) {
        cost(k, l) = few_levels ? std::floor(4.0 * uniform()) : uniform();
        if (masked) allowed(k, l) = uniform() < 0.4 ? 1.0 : 0.0;
        const double mass = allowed(k, l) * std::floor(3.0 * uniform());  // small integers: degenerate bases
        a[static_cast<std::size_t>(k)] += mass;
        b[static_cast<std::size_t>(l)] += mass;
      }
    }
    expect_certified(solve_transport(a, b, cost, &allowed), a, b, cost, &allowed);
  }
}

TEST(Transport, LargeUniformProblemIsAnAssignment) {
  const std::int64_t n = 500;
  const RandomStream random{.seed = 3, .stream = 1};
  Matrix cost(n, n);
  for (std::size_t entry = 0; entry < cost.values.size(); ++entry) cost.values[entry] = random.uniform(entry);
  const std::vector<double> mass(n, 1.0 / static_cast<double>(n));
  const auto solution = solve_transport(mass, mass, cost);
  expect_certified(solution, mass, mass, cost);
  EXPECT_EQ(
      std::count_if(solution.coupling.values.begin(), solution.coupling.values.end(), [](double x) { return x > 0.0; }),
      n);
}

TEST(Transport, ScalingMassesScalesTheCoupling) {
  Matrix cost(2, 2);
  cost.values = {0.0, 1.0, 1.0, 0.0};
  const auto solution = solve_transport(std::vector{3.0, 5.0}, std::vector{4.0, 4.0}, cost);
  EXPECT_THAT(solution.coupling.values, testing::Pointwise(testing::DoubleNear(1e-14), {3.0, 0.0, 1.0, 4.0}));
  EXPECT_NEAR(solution.cost, 1.0, 1e-14);
}

TEST(Transport, DiagonalMaskGivesTheDiagonal) {
  const std::vector<double> mass{0.1, 0.2, 0.3, 0.4};
  Matrix cost(4, 4, 2.0), allowed(4, 4);
  for (int k = 0; k < 4; ++k) allowed(k, k) = 1.0;
  const auto solution = solve_transport(mass, mass, cost, &allowed);
  expect_certified(solution, mass, mass, cost, &allowed);
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(solution.coupling(k, k), mass[static_cast<std::size_t>(k)], 1e-16);
}

TEST(Transport, MaskThatHoldsOnlyToRoundingIsAccepted) {
  Matrix cost(3, 2, 1.0), allowed(3, 2);
  allowed(0, 0) = allowed(1, 0) = allowed(2, 1) = 1.0;
  const std::vector<double> a{0.1, 0.2, 0.7}, b{0.1 + 0.2, 1.0 - (0.1 + 0.2) + 1e-13};
  const auto solution = solve_transport(a, b, cost, &allowed);
  EXPECT_LE(solution.unplaced, 1e-12);
  EXPECT_EQ(solution.coupling(2, 0), 0.0);
}

TEST(Transport, MaskWithoutRoomIsADataError) {
  Matrix cost(2, 2, 1.0), allowed(2, 2, 1.0);
  allowed(0, 1) = 0.0;
  EXPECT_THROW(solve_transport(std::vector{0.6, 0.4}, std::vector{0.5, 0.5}, cost, &allowed), DataError);
  EXPECT_NO_THROW(solve_transport(std::vector{0.6, 0.4}, std::vector{0.5, 0.5}, cost, &allowed, 0.11));
}

TEST(Transport, MassesWithoutAnyMassGiveAnEmptyCoupling) {
  const auto solution = solve_transport(std::vector{0.0, 0.0}, std::vector{0.0}, Matrix(2, 1, 1.0));
  EXPECT_EQ(sum(solution.coupling.values), 0.0);
  EXPECT_EQ(solution.cost, 0.0);
}

TEST(Transport, BadInputIsRefused) {
  const std::vector<double> half{0.5, 0.5};
  Matrix nan_cost(2, 2, 1.0);
  nan_cost(1, 0) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(solve_transport(half, half, nan_cost), NumericalError);
  const Matrix cost(2, 2, 1.0);
  EXPECT_THROW(solve_transport(std::vector{-0.5, 1.5}, half, cost), DataError);
  EXPECT_THROW(solve_transport(std::vector{0.5, 0.6}, half, cost), DataError);
  EXPECT_THROW(solve_transport(std::vector{1.0}, half, cost), DataError);
}

}  // namespace
}  // namespace thalweg
