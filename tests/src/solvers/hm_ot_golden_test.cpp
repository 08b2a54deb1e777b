// Acceptance values of the two golden data sets (tests/golden/make_hm_ot.py).
#include <gtest/gtest.h>

#include "analysis/metrics.hpp"
#include "clouds.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;

HmOtSolution solve(const HmOtProblem& problem, Precision precision, std::uint64_t seed, const HmOtSettings& settings, const Alone& alone) {
  HmOtSolution solution = solve_hm_ot(alone.context(precision, seed), problem, settings);
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.column_error, 1e-6);
  EXPECT_LE(solution.coupling_gap, 1e-9);
  return solution;
}

struct Tristable : testing::TestWithParam<Precision> {
  Alone alone;
  std::vector<testing_support::Cloud> clouds = testing_support::golden_clouds("tristable.f64", 3, 300, 2);
  HmOtProblem problem = testing_support::chain_problem(*alone.comm, clouds, {3});
};

TEST_P(Tristable, EverySeedReachesTheBestObjective) {
  for (const int restarts : {1, 10})
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      HmOtSettings settings;
      settings.restarts = restarts;
      const HmOtSolution solution = solve(problem, GetParam(), seed, settings, alone);
      EXPECT_LE(solution.state.objective, 6.13) << "seed " << seed << ", restarts " << restarts;
      EXPECT_GE(solution.state.objective, 5.566);  // the exact cost, of full rank
      EXPECT_LT(solution.state.objective, solution.baseline);
    }
}

TEST_P(Tristable, MassStepsImproveTheKmeansStart) {
  std::vector<double> objectives;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    HmOtSettings settings;
    settings.start = Start::kmeans;
    const HmOtSolution solution = solve(problem, GetParam(), seed, settings, alone);
    EXPECT_LT(solution.state.objective, solution.restarts.front().objective) << "without mass steps";
    objectives.push_back(solution.state.objective);
  }
  std::sort(objectives.begin(), objectives.end());
  EXPECT_LE(0.5 * (objectives[4] + objectives[5]), 6.75);
  EXPECT_LE(objectives.back(), 6.9);
}

TEST_P(Tristable, TypesAgreeWithTheFates) {
  const std::vector<std::int32_t> fate = testing_support::read_golden<std::int32_t>("tristable_fate.i32");
  const HmOtSolution solution = solve(problem, GetParam(), 0, {}, alone);
  const double least[] = {0.33, 0.80, 0.99};
  for (std::size_t t = 0; t < 3; ++t) {
    const std::vector<double> memberships = slice_memberships(solution, t, 0, 2);
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < fate.size(); ++i) {
      const auto row = memberships.begin() + static_cast<std::ptrdiff_t>(3 * i);
      labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + 3) - row));
    }
    EXPECT_GE(adjusted_mutual_information(contingency_table(labels, fate, 3, 3)), least[t]) << "slice " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, Tristable, testing::Values(Precision::float32, Precision::float64),
                         [](const auto& param_info) { return param_info.param == Precision::float32 ? "Float32" : "Float64"; });

struct Mixture : testing::Test {
  Alone alone;
  std::vector<testing_support::Cloud> clouds = testing_support::golden_clouds("mixture.f64", 2, 1000, 30);

  HmOtProblem diagonal(std::int64_t rank) const {
    HmOtProblem problem = testing_support::chain_problem(*alone.comm, clouds, {rank});
    problem.transitions[0].is_diagonal = true;
    return problem;
  }
  void expect_at_most(std::int64_t rank, double objective, double baseline) const {
    const HmOtProblem problem = diagonal(rank);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const HmOtSolution solution = solve(problem, Precision::float32, seed, {}, alone);
      EXPECT_LE(solution.state.objective, objective) << "seed " << seed;
      EXPECT_GE(solution.state.objective, 37.96);  // the exact cost, of full rank
      EXPECT_NEAR(solution.baseline, baseline, 0.015 * baseline);
    }
  }
};

TEST_F(Mixture, DiagonalFormOfRank10) { expect_at_most(10, 64.15, 67.40); }
TEST_F(Mixture, DiagonalFormOfRank20) { expect_at_most(20, 61.66, 66.16); }
TEST_F(Mixture, DiagonalFormOfRank40) { expect_at_most(40, 58.65, 64.84); }

TEST_F(Mixture, DoublePrecisionReachesTheSameAtRank10) {
  const HmOtSolution solution = solve(diagonal(10), Precision::float64, 0, {}, alone);
  EXPECT_LE(solution.state.objective, 64.15);
  EXPECT_LE(solution.column_error, 1e-10);
}

TEST_F(Mixture, FreeCouplingIsNoWorseThanTheDiagonalForm) {
  // Its gain is small: the diagonal form reaches the same value for equal ranks.
  const HmOtProblem problem = testing_support::chain_problem(*alone.comm, clouds, {10});
  EXPECT_LE(solve(problem, Precision::float32, 0, {}, alone).state.objective, 64.75);
}

}  // namespace
}  // namespace thalweg
