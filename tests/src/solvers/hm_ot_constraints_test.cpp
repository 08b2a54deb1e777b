// What may be given of a chain: labels, masses, couplings, masks, diagonals.
#include <gtest/gtest.h>

#include "clouds.hpp"
#include "tests/src/exact/golden_cases.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;
using Labels = std::vector<std::int32_t>;

struct Fixture {
  Alone alone;
  std::vector<Cloud> clouds;
  HmOtProblem problem;
  Fixture(std::vector<Cloud> clouds_, std::vector<std::int64_t> num_types)
      : clouds(std::move(clouds_)), problem(testing_support::chain_problem(*alone.comm, clouds, std::move(num_types))) {}
  HmOtSolution solve(const HmOtSettings& settings = {}) const { return solve_hm_ot(alone.context(), problem, settings); }
};

std::vector<Cloud> three_clouds() {
  return {testing_support::gaussian_cloud(200, 4, 4, 5.0, 0.0, 71), testing_support::gaussian_cloud(300, 4, 4, 5.0, 0.7, 72),
          testing_support::gaussian_cloud(250, 4, 4, 5.0, 1.4, 73)};
}

void expect_marginals(const HmOtSolution& solution) {
  for (std::size_t t = 0; t < solution.state.couplings.size(); ++t) {
    const Matrix& coupling = solution.state.couplings[t];
    EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(coupling), solution.state.slices[t].masses), 1e-9);
    EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(testing_support::transposed(coupling)), solution.state.slices[t + 1].masses), 1e-9);
  }
}

/// Label of row i in the cases of supervised.txt.
Labels golden_labels(std::int64_t n, std::int64_t classes, std::int64_t divisor) {
  Labels labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(static_cast<std::int32_t>(i / divisor % classes));
  return labels;
}

void expect_golden_coupling(const HmOtSolution& solution, std::size_t edge, const testing_support::GoldenCase& golden) {
  SCOPED_TRACE(golden.name);
  EXPECT_LE(testing_support::largest_difference(solution.state.couplings[edge].values, golden.arrays[0]), 1e-10);
  EXPECT_NEAR(transition_cost(solution.chain, solution.state, edge), golden.value, 1e-10 * golden.value);
}

TEST(Supervised, CouplingsEqualPotOnClassMeans) {
  const auto golden = testing_support::read_golden_cases("../supervised.txt");
  ASSERT_EQ(golden.size(), 3u);
  Fixture mixture(testing_support::golden_clouds("mixture.f64", 2, 1000, 30), {7, 5});
  const Labels x = golden_labels(1000, 7, 1), y = golden_labels(1000, 5, 3);
  mixture.problem.slices[0].labels = x;
  mixture.problem.slices[1].labels = y;
  const HmOtSolution solution = mixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.passes, 0);
  expect_golden_coupling(solution, 0, golden[0]);
  EXPECT_NEAR(solution.state.objective, golden[0].value, 1e-10 * golden[0].value);

  Fixture tristable(testing_support::golden_clouds("tristable.f64", 3, 300, 2), {4, 3, 5});
  const Labels labels[] = {golden_labels(300, 4, 1), golden_labels(300, 3, 2), golden_labels(300, 5, 7)};
  for (std::size_t t = 0; t < 3; ++t) tristable.problem.slices[t].labels = labels[t];
  const HmOtSolution chain = tristable.solve();
  for (const std::size_t edge : {0, 1}) expect_golden_coupling(chain, edge, golden[edge + 1]);
  const std::vector<double> memberships = slice_memberships(chain, 2, 1, 1);
  ASSERT_EQ(memberships.size(), 44u * 5u);
  for (std::size_t i = 0; i < 44; ++i) EXPECT_EQ(memberships[5 * i + static_cast<std::size_t>(labels[2][256 + i])], 1.0);
}

TEST(FixedLabels, StayAsGivenWhileOtherSlicesAreLearned) {
  Fixture fixture(three_clouds(), {4, 4, 4});
  const Labels labels = golden_labels(300, 4, 5);
  fixture.problem.slices[1].labels = labels;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  const std::vector<double> memberships = slice_memberships(solution, 1, 0, 2);
  for (std::size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(memberships[4 * i + static_cast<std::size_t>(labels[i])], 1.0);
  EXPECT_NEAR(solution.state.slices[1].masses[0], 75.0 / 300.0, 1e-14);
  EXPECT_LE(solution.column_error, 1e-10);
  expect_marginals(solution);
}

TEST(Mask, ForbiddenEntriesAreExactlyZero) {
  Fixture fixture(three_clouds(), {4, 5, 3});
  Matrix allowed(4, 5, 1.0);
  for (std::int64_t k = 0; k < 4; ++k)
    for (std::int64_t l = 0; l < 5; ++l)
      if (l != k && l != k + 1) allowed(k, l) = 0.0;
  fixture.problem.transitions[0].allowed = allowed;
  for (const Start start : {Start::transport, Start::kmeans, Start::random}) {
    HmOtSettings settings;
    settings.start = start;
    const HmOtSolution solution = fixture.solve(settings);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    for (std::size_t i = 0; i < allowed.values.size(); ++i)
      if (allowed.values[i] == 0.0) { EXPECT_EQ(solution.state.couplings[0].values[i], 0.0); }
    expect_marginals(solution);
  }
}

TEST(Mask, OfAllEntriesChangesNothing) {
  Fixture fixture(three_clouds(), {4});
  const double objective = fixture.solve().state.objective;
  fixture.problem.transitions[0].allowed = Matrix(4, 4, 1.0);
  EXPECT_NEAR(fixture.solve().state.objective, objective, 1e-3 * objective);
}

TEST(Mask, ThatCannotCarryTheGivenMassesIsAnError) {
  Fixture fixture(three_clouds(), {2, 2, 2});
  fixture.problem.slices[0].masses = {0.9, 0.1};
  fixture.problem.slices[1].masses = {0.5, 0.5};
  fixture.problem.transitions[0].allowed = Matrix(2, 2, 1.0);
  (*fixture.problem.transitions[0].allowed)(0, 1) = 0.0;
  EXPECT_THROW(fixture.solve(), DataError);
}

TEST(Diagonal, GivesOneSetOfMassesToAllSlices) {
  Fixture fixture(three_clouds(), {4});
  for (HmOtTransition& transition : fixture.problem.transitions) transition.is_diagonal = true;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::int64_t k = 0; k < 4; ++k)
      for (std::int64_t l = 0; l < 4; ++l)
        EXPECT_EQ(solution.state.couplings[t](k, l), k == l ? solution.state.slices[t].masses[static_cast<std::size_t>(k)] : 0.0);
    EXPECT_LE(testing_support::largest_difference(solution.state.slices[t].masses, solution.state.slices[t + 1].masses), 1e-12);
  }
}

TEST(Diagonal, BesideFreeTransitionsKeepsTheMassesOfBothEndsEqual) {
  Fixture fixture(three_clouds(), {3, 3, 5});
  fixture.problem.transitions[0].is_diagonal = true;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  expect_marginals(solution);
}

TEST(Diagonal, FollowsLabelsEvenOfTypesThatNoSampledCellHas) {
  std::vector<Cloud> clouds{testing_support::gaussian_cloud(5000, 2, 3, 5.0, 0.0, 74), testing_support::gaussian_cloud(5000, 2, 3, 5.0, 1.0, 75)};
  Labels labels = golden_labels(5000, 3, 1);
  labels[17] = 3;  // one cell in 5000, of which 1024 are matched
  Fixture fixture(clouds, {4});
  fixture.problem.slices[0].labels = labels;
  fixture.problem.transitions[0].is_diagonal = true;
  const HmOtSolution solution = fixture.solve();
  expect_marginals(solution);
  EXPECT_NEAR(solution.state.slices[1].masses[3], 1.0 / 5000.0, 1e-12);
}

TEST(Diagonal, BetweenDifferentGivenMassesIsAnError) {
  Fixture fixture(three_clouds(), {2, 2, 2});
  fixture.problem.slices[0].masses = {0.9, 0.1};
  fixture.problem.slices[1].masses = {0.5, 0.5};
  fixture.problem.transitions[0].is_diagonal = true;
  EXPECT_THROW(fixture.solve(), DataError);
}

TEST(GivenMasses, AreMet) {
  Fixture fixture(three_clouds(), {4, 4, 3});
  const std::vector<double> masses{0.1, 0.2, 0.3, 0.4};
  fixture.problem.slices[1].masses = masses;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(testing_support::largest_difference(solution.state.slices[1].masses, masses), 1e-15);
  EXPECT_LE(testing_support::largest_difference(solution.state.slices[1].actual, masses), 1e-10);
}

TEST(GivenMasses, MaySumToOneOnlyRoughly) {
  Fixture fixture(three_clouds(), {4, 4, 3});
  fixture.problem.slices[1].masses = std::vector<double>{0.1, 0.2, 0.3, 0.4 + 5e-7};
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.column_error, 1e-10);
}

TEST(GivenCoupling, FixesTheMassesOfItsEnds) {
  Fixture fixture(three_clouds(), {2, 3, 3});
  Matrix coupling(2, 3);
  coupling.values = {0.2, 0.1, 0.0, 0.1, 0.2, 0.4};
  fixture.problem.transitions[0].coupling = coupling;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.state.couplings[0], coupling);
  EXPECT_LE(testing_support::largest_difference(solution.state.slices[0].actual, {0.3, 0.7}), 1e-10);
  EXPECT_LE(testing_support::largest_difference(solution.state.slices[1].actual, {0.3, 0.3, 0.4}), 1e-10);
}

TEST(GivenCoupling, WithOtherMassesThanThoseGivenIsAnError) {
  Fixture fixture(three_clouds(), {2, 2, 2});
  fixture.problem.transitions[0].coupling = Matrix(2, 2, 0.25);
  fixture.problem.slices[1].masses = {0.4, 0.6};
  EXPECT_THROW(fixture.solve(), DataError);
}

TEST(GivenValues, OfAFreeSolveReturnItsObjective) {
  Fixture fixture(testing_support::golden_clouds("tristable.f64", 3, 300, 2), {3});
  const HmOtSolution free = fixture.solve();
  for (std::size_t t = 0; t < 3; ++t) {
    fixture.problem.slices[t].masses = free.state.slices[t].actual;
    if (t > 0) fixture.problem.transitions[t - 1].coupling = free.state.couplings[t - 1];
  }
  const HmOtSolution again = fixture.solve();
  EXPECT_EQ(again.stop_reason, StopReason::converged);
  EXPECT_NEAR(again.state.objective, free.state.objective, 1e-6 * free.state.objective);
}

}  // namespace
}  // namespace thalweg
