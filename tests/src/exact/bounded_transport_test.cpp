#include "exact/bounded_transport.hpp"

#include <gmock/gmock.h>

#include "distributed/error.hpp"
#include "golden_cases.hpp"

namespace thalweg {
namespace {

TEST(BoundedTransport, EqualsHighsAndMeetsTheBounds) {
  for (const auto& golden : testing_support::read_golden_cases("bounded.txt")) {
    SCOPED_TRACE(golden.name);
    const Matrix cost = golden.matrix(2), allowed = golden.matrix(3), lower = golden.matrix(4),
                 upper = golden.matrix(5);
    const auto solution = solve_bounded_transport(golden.arrays[0], golden.arrays[1], cost, {&allowed, &lower, &upper});
    EXPECT_NEAR(solution.cost, golden.value, 1e-12);
    EXPECT_LE(std::abs(solution.gap), 1e-13);
    std::vector<double> column_sums(golden.arrays[1].size());
    for (std::int64_t k = 0; k < cost.rows; ++k) {
      double row_sum = 0.0;
      for (std::int64_t l = 0; l < cost.columns; ++l) {
        const double mass = solution.coupling(k, l);
        EXPECT_GE(mass, lower(k, l));
        EXPECT_LE(mass, upper(k, l) * (1.0 + 1e-15));
        if (allowed(k, l) == 0.0) {
          EXPECT_EQ(mass, 0.0);
        }
        row_sum += mass;
        column_sums[static_cast<std::size_t>(l)] += mass;
      }
      EXPECT_NEAR(row_sum, golden.arrays[0][static_cast<std::size_t>(k)], 1e-15);
    }
    for (std::size_t l = 0; l < column_sums.size(); ++l) EXPECT_NEAR(column_sums[l], golden.arrays[1][l], 1e-15);
  }
}

TEST(BoundedTransport, LowerBoundsThatFixEverythingAreReturned) {
  Matrix fixed(2, 2);
  fixed.values = {0.1, 0.2, 0.3, 0.4};
  const auto solution =
      solve_bounded_transport(std::vector{0.1 + 0.2, 0.3 + 0.4}, std::vector{0.1 + 0.3, 0.2 + 0.4}, Matrix(2, 2, 1.0),
                              {.allowed = nullptr, .lower = &fixed, .upper = &fixed});
  EXPECT_THAT(solution.coupling.values, testing::Pointwise(testing::DoubleNear(1e-15), fixed.values));
}

TEST(BoundedTransport, UpperBoundZeroForbidsTheEntry) {
  Matrix cost(2, 2, 1.0), upper(2, 2, 1.0);
  cost(0, 0) = 0.0;
  upper(0, 0) = 0.0;
  const std::vector<double> half{0.5, 0.5};
  const auto solution = solve_bounded_transport(half, half, cost, {.upper = &upper});
  EXPECT_EQ(solution.coupling(0, 0), 0.0);
  EXPECT_NEAR(solution.cost, 1.0, 1e-15);
}

TEST(BoundedTransport, ImpossibleBoundsAreDataErrors) {
  const std::vector<double> half{0.5, 0.5};
  const Matrix cost(2, 2, 1.0), tight(2, 2, 0.2), high(2, 2, 0.3);
  EXPECT_THROW(solve_bounded_transport(half, half, cost, {.upper = &tight}), DataError);
  EXPECT_THROW(solve_bounded_transport(half, half, cost, {.lower = &high}), DataError);
  EXPECT_THROW(solve_bounded_transport(half, half, cost, {.lower = &high, .upper = &tight}), DataError);
  const Matrix none(2, 2);
  EXPECT_THROW(solve_bounded_transport(half, half, cost, {.allowed = &none, .lower = &tight}), DataError);
}

}  // namespace
}  // namespace thalweg
