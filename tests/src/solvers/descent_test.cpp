#include "solvers/hm_ot/descent.hpp"

#include <gtest/gtest.h>

#include "chains.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;
using testing_support::SmallChain;

std::vector<Cloud> three_clouds() {
  return {testing_support::gaussian_cloud(150, 3, 4, 4.0, 0.0, 51), testing_support::gaussian_cloud(120, 3, 4, 4.0, 1.0, 52),
          testing_support::gaussian_cloud(180, 3, 4, 4.0, 2.0, 53)};
}

const DescentOptions precise{1e-7, 1e-10, 1e-15, 1e-9, 1e-10, 2000, 3e-3};

/// Smooth level with mass steps, then the last level.
StopReason descend(const Chain& chain, ChainState& state, std::vector<DescentRecord>* records = nullptr) {
  Descent descent(chain, precise, "all", [&](const DescentRecord& record) { if (records) records->push_back(record); }, {});
  const StopReason first = descent.descend(3e-3, 1e-7, 2000, 1e-7, state);
  const StopReason second = descent.descend(1e-3, 1e-7, 2000, no_mass_steps, state);
  return first == StopReason::converged ? second : first;
}

TEST(Descent, NeverRaisesTheRegularisedObjectiveWithinALevel) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  std::vector<DescentRecord> records;
  ChainState state = small.start();
  EXPECT_EQ(descend(small.chain, state, &records), StopReason::converged);
  ASSERT_GT(records.size(), 4u);
  for (std::size_t k = 1; k < records.size(); ++k) {
    if (records[k].level == records[k - 1].level) { EXPECT_LE(records[k].regularized, records[k - 1].regularized * (1.0 + 1e-9)); }
    EXPECT_GE(records[k].passes, records[k - 1].passes);
    EXPECT_LE(records[k].column_error, 1e-10);
    EXPECT_LE(records[k].gap, 1e-12);
  }
  EXPECT_EQ(records.front().level, 0);
  EXPECT_EQ(records.back().level, 1);
  EXPECT_EQ(records.back().stop_reason, StopReason::converged);
  EXPECT_DOUBLE_EQ(records.back().epsilon, 1e-3 * small.chain.variance);
  EXPECT_EQ(records.back().objective, state.objective);
}

TEST(Descent, EndsWhereASweepGainsNothing) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  descend(small.chain, state);
  const double before = state.regularized;
  ASSERT_TRUE(sweep(small.chain, small.options(1e-3), state));
  EXPECT_NEAR(state.regularized, before, 2e-7 * before);
}

TEST(Descent, MassStepsReachLowerThanSweepsAlone) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState with = small.start(), without = small.start();
  Descent(small.chain, precise, "all", {}, {}).descend(3e-3, 1e-7, 2000, 1e-7, with);
  Descent(small.chain, precise, "all", {}, {}).descend(3e-3, 1e-7, 2000, no_mass_steps, without);
  EXPECT_LT(with.regularized, without.regularized * (1.0 - 1e-5));
  for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(without.slices[t].masses, small.start().slices[t].masses);
}

TEST(Descent, OfTheReversedSolutionStaysThere) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  descend(small.chain, state);
  std::vector<Cloud> clouds = three_clouds();
  std::reverse(clouds.begin(), clouds.end());
  const SmallChain reversed(clouds, {4, 3, 4});
  ChainState back = state;
  std::reverse(back.slices.begin(), back.slices.end());
  std::reverse(back.couplings.begin(), back.couplings.end());
  for (Matrix& coupling : back.couplings) coupling = testing_support::transposed(coupling);
  Descent descent(reversed.chain, precise, "all", {}, {});
  EXPECT_EQ(descent.descend(1e-3, 1e-7, 2000, no_mass_steps, back), StopReason::converged);
  EXPECT_NEAR(back.objective, state.objective, 2e-7 * state.objective);
  for (std::size_t t = 0; t < 2; ++t)
    EXPECT_LE(testing_support::largest_difference(testing_support::transposed(back.couplings[1 - t]).values, state.couplings[t].values), 1e-4);
}

TEST(Descent, WithGivenCouplingsReturnsTheObjectiveOfTheFreeSolution) {
  SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  descend(small.chain, state);
  ChainState again = state;
  for (std::size_t t = 0; t < 3; ++t) small.chain.slices[t].fixed_mass = state.slices[t].masses;
  for (std::size_t t = 0; t < 2; ++t) small.chain.edges[t].coupling = state.couplings[t];
  Descent descent(small.chain, precise, "all", {}, {});
  EXPECT_EQ(descent.descend(1e-3, 1e-7, 2000, 1e-7, again), StopReason::converged);
  EXPECT_NEAR(again.objective, state.objective, 2e-7 * state.objective);
}

TEST(Descent, EndsAtTheReasonOfItsStopCheck) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  int calls = 0;
  Descent descent(small.chain, precise, "all", {}, [&]() -> std::optional<StopReason> {
    if (++calls < 3) return std::nullopt;
    return StopReason::interrupted;
  });
  EXPECT_EQ(descent.descend(3e-3, 1e-7, 2000, 1e-7, state), StopReason::interrupted);
  EXPECT_EQ(calls, 3);
  EXPECT_LE(column_error(small.chain, state), 1e-10);
}

TEST(Descent, MeetsTolerancesFinerThanItsSmallestUsualGain) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  descend(small.chain, state);
  for (const double tolerance : {3e-11, 1e-12}) {
    std::vector<DescentRecord> records;
    ChainState finer = state;
    DescentOptions options = precise;
    options.inner_tolerance = 1e-13;
    Descent descent(small.chain, options, "all", [&](const DescentRecord& record) { records.push_back(record); }, {});
    EXPECT_EQ(descent.descend(1e-3, tolerance, 100000, no_mass_steps, finer), StopReason::converged);
    EXPECT_LE(std::abs(records.back().change), tolerance);
    EXPECT_LE(finer.regularized, state.regularized * (1.0 + 1e-10));  // the former meets its masses to 1e-10 only
  }
}

TEST(Descent, EndsAtTolerancesThatNothingCanMeet) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  for (const double tolerance : {1e-16, 1e-300}) {
    std::vector<DescentRecord> records;
    ChainState state = small.start();
    Descent descent(small.chain, precise, "all", [&](const DescentRecord& record) { records.push_back(record); }, {});
    const StopReason reason = descent.descend(3e-3, tolerance, 100000, 1e-7, state);
    // Inner tolerances of 1e-10 leave F_eps such an error: a sweep may raise it by more than this tolerance.
    EXPECT_EQ(reason, -records.back().change > tolerance ? StopReason::stagnated : StopReason::converged);
    EXPECT_LE(records.back().change, tolerance);
    EXPECT_LT(records.back().sweep, 20000);
  }
}

TEST(Descent, KeepsTheStateOfTheLevelBeforeOneThatCannotBeSolved) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  std::vector<DescentRecord> records;
  ChainState state = small.start();
  Descent descent(small.chain, precise, "all", [&](const DescentRecord& record) { records.push_back(record); }, {});
  EXPECT_EQ(descent.descend(3e-3, 1e-7, 2000, 1e-7, state), StopReason::converged);
  const ChainState before = state;
  EXPECT_EQ(descent.descend(1e-17, 1e-7, 2000, no_mass_steps, state), StopReason::stagnated);
  EXPECT_NEAR(state.objective, before.objective, 1e-9 * before.objective);
  EXPECT_LE(column_error(small.chain, state), 1e-12);
  for (std::size_t t = 0; t < 3; ++t)
    EXPECT_LE(testing_support::largest_difference(small.memberships(state, t).values, small.memberships(before, t).values), 0.0);
  EXPECT_DOUBLE_EQ(descent.epsilon(), 3e-3 * small.chain.variance);
  EXPECT_EQ(records.back().stop_reason, StopReason::stagnated);
  EXPECT_DOUBLE_EQ(records.back().epsilon, descent.epsilon());
}

TEST(Descent, AsksWhetherToStopAfterStepsTakenBackToo) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  int calls = 0;
  std::vector<DescentRecord> records;
  Descent descent(small.chain, precise, "all", [&](const DescentRecord& record) { records.push_back(record); }, [&]() -> std::optional<StopReason> {
    ++calls;
    return std::nullopt;
  });
  EXPECT_EQ(descent.descend(3e-3, 1e-7, 2000, 1e-7, state), StopReason::converged);
  EXPECT_EQ(calls, records.back().sweep - 1);
  EXPECT_LT(records.size(), static_cast<std::size_t>(records.back().sweep));  // not all steps are taken
}

TEST(Descent, SaysWhenSweepsRunOut) {
  const SmallChain small(three_clouds(), {4, 3, 4});
  ChainState state = small.start();
  std::vector<DescentRecord> records;
  Descent descent(small.chain, precise, "all", [&](const DescentRecord& record) { records.push_back(record); }, {});
  EXPECT_EQ(descent.descend(3e-3, 1e-7, 1, 1e-7, state), StopReason::max_iterations);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].stop_reason, StopReason::max_iterations);
}

}  // namespace
}  // namespace thalweg
