#include "exact/max_flow.hpp"

#include <gmock/gmock.h>

#include "distributed/error.hpp"
#include "golden_cases.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;

/// Mass that a cut's sources have and what its entries can take, from the definition.
std::pair<double, double> cut_values(const FlowCheck& cut, const std::vector<double>& a, const std::vector<double>& b,
                                     const Matrix& allowed, const Matrix* upper) {
  double demand = 0.0, capacity = 0.0;
  std::vector<bool> filled(b.size(), false);
  for (const auto l : cut.targets) {
    filled[static_cast<std::size_t>(l)] = true;
    capacity += b[static_cast<std::size_t>(l)];
  }
  for (const auto k : cut.sources) {
    demand += a[static_cast<std::size_t>(k)];
    for (std::int64_t l = 0; l < allowed.columns; ++l) {
      if (filled[static_cast<std::size_t>(l)] || allowed(k, l) == 0.0) continue;
      const double most = std::min(a[static_cast<std::size_t>(k)], b[static_cast<std::size_t>(l)]);
      capacity += upper ? std::min(most, (*upper)(k, l)) : most;
    }
  }
  return {demand, capacity};
}

TEST(CheckFlow, AgreesWithHighsAndProvesItsCut) {
  int infeasible = 0;
  for (const auto& golden : testing_support::read_golden_cases("flow.txt")) {
    SCOPED_TRACE(golden.name);
    const Matrix allowed = golden.matrix(2), upper = golden.matrix(3);
    const auto check = check_flow(golden.arrays[0], golden.arrays[1], allowed, &upper);
    EXPECT_EQ(check.feasible, golden.value > 1.0 - 1e-9);
    if (check.feasible) continue;
    ++infeasible;
    const auto [demand, capacity] = cut_values(check, golden.arrays[0], golden.arrays[1], allowed, &upper);
    EXPECT_NEAR(check.demand, demand, 1e-12);
    EXPECT_NEAR(check.capacity, capacity, 1e-12);
    EXPECT_GT(demand, capacity + 1e-6);
    EXPECT_LE(demand - capacity, 1.0 - golden.value + 1e-12);
  }
  EXPECT_GE(infeasible, 5);
}

TEST(CheckFlow, NamesTheOverfullSources) {
  Matrix allowed(4, 3);
  allowed(0, 0) = allowed(1, 0) = allowed(2, 1) = allowed(2, 2) = allowed(3, 2) = 1.0;
  const auto check = check_flow(std::vector{0.3, 0.2, 0.3, 0.2}, std::vector{0.4, 0.2, 0.4}, allowed);
  EXPECT_FALSE(check.feasible);
  EXPECT_THAT(check.sources, ElementsAre(0, 1));
  EXPECT_THAT(check.targets, ElementsAre(0));
  EXPECT_NEAR(check.demand, 0.5, 1e-15);
  EXPECT_NEAR(check.capacity, 0.4, 1e-15);
}

TEST(CheckFlow, NeedsARerouteToFindFeasibility) {
  Matrix allowed(3, 3, 1.0);
  allowed(1, 1) = allowed(1, 2) = allowed(2, 2) = 0.0;
  EXPECT_TRUE(check_flow(std::vector{0.2, 0.3, 0.5}, std::vector{0.3, 0.5, 0.2}, allowed).feasible);
}

TEST(CheckFlow, SourceWithoutAnyTargetIsItsOwnCut) {
  Matrix allowed(2, 2, 1.0);
  allowed(1, 0) = allowed(1, 1) = 0.0;
  const auto check = check_flow(std::vector{0.5, 0.5}, std::vector{0.5, 0.5}, allowed);
  EXPECT_THAT(check.sources, ElementsAre(1));
  EXPECT_TRUE(check.targets.empty());
  EXPECT_EQ(check.capacity, 0.0);
}

TEST(CheckFlow, UpperBoundsCount) {
  const Matrix allowed(1, 2, 1.0);
  Matrix upper(1, 2, 1.0);
  EXPECT_TRUE(check_flow(std::vector{1.0}, std::vector{0.5, 0.5}, allowed, &upper).feasible);
  upper(0, 1) = 0.25;
  const auto check = check_flow(std::vector{1.0}, std::vector{0.5, 0.5}, allowed, &upper);
  EXPECT_FALSE(check.feasible);
  EXPECT_NEAR(check.capacity, 0.75, 1e-15);
}

TEST(CheckFlow, RoundingIsNotAnInfeasibility) {
  Matrix allowed(3, 2);
  allowed(0, 0) = allowed(1, 0) = allowed(2, 1) = 1.0;
  EXPECT_TRUE(check_flow(std::vector{0.1, 0.2, 0.7}, std::vector{0.3, 0.7}, allowed).feasible);
}

TEST(CheckFlow, BadInputIsRefused) {
  const std::vector<double> half{0.5, 0.5};
  EXPECT_THROW(check_flow(half, half, Matrix(2, 3, 1.0)), DataError);
  const Matrix negative(2, 2, -1.0);
  EXPECT_THROW(check_flow(half, half, Matrix(2, 2, 1.0), &negative), DataError);
}

}  // namespace
}  // namespace thalweg
