// The k-means baseline that a solution is judged by: its types and its value belong together.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "clouds.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;
using Labels = std::vector<std::int32_t>;

std::vector<Cloud> two_clouds() {
  return {testing_support::gaussian_cloud(400, 3, 4, 6.0, 0.0, 11), testing_support::gaussian_cloud(300, 3, 4, 6.0, 0.8, 12)};
}

Labels labels_of(const HmOtSolution& solution, std::size_t slice, std::int64_t types) {
  const std::vector<double> memberships = slice_memberships(solution.chain, solution.baseline_state->slices[slice], slice, 0, 2);
  Labels labels;
  for (auto row = memberships.begin(); row != memberships.end(); row += types)
    labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + types) - row));
  return labels;
}

TEST(Baseline, IsTheExactMapBetweenItsOwnLabels) {
  const Alone alone;
  const std::vector<Cloud> clouds = two_clouds();
  HmOtProblem problem = testing_support::chain_problem(*alone.comm, clouds, {4, 4});
  const HmOtSolution solution = solve_hm_ot(alone.context(), problem, {});
  ASSERT_TRUE(solution.baseline_state);
  EXPECT_EQ(solution.baseline, solution.baseline_state->objective);
  EXPECT_GE(solution.baseline, solution.state.objective * (1.0 - 1e-6));
  const Labels labels[] = {labels_of(solution, 0, 4), labels_of(solution, 1, 4)};
  for (std::size_t t = 0; t < 2; ++t) problem.slices[t].labels = labels[t];
  EXPECT_NEAR(solve_hm_ot(alone.context(), problem, {}).state.objective, solution.baseline, 1e-5 * solution.baseline);
}

TEST(Baseline, IsAbsentWithAGivenCoupling) {
  const Alone alone;
  const std::vector<Cloud> clouds = two_clouds();
  HmOtProblem problem = testing_support::chain_problem(*alone.comm, clouds, {2, 2});
  problem.transitions[0].coupling = Matrix(2, 2, 0.25);
  const HmOtSolution solution = solve_hm_ot(alone.context(), problem, {});
  EXPECT_FALSE(solution.baseline_state);
  EXPECT_TRUE(std::isnan(solution.baseline));
}

}  // namespace
}  // namespace thalweg
