// A reason to stop on any rank ends a solve on all ranks within a few sweeps, counted in steps.
#include <gtest/gtest.h>

#include <set>

#include "clouds.hpp"
#include "solvers/hm_ot/stop_poll.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;
using testing_support::gaussian_cloud;

/// What one rank saw of a solve that was told to stop.
struct StoppedSolve {
  HmOtSolution solution;
  int questions = 0;               // of the stop check
  std::set<std::string> starts;    // that made steps
  std::set<std::string> stages;
};

/// Solves with 200 restarts; `rank` is told to stop from its `first`-th question on.
StoppedSolve solve(const Communicator& comm, const std::vector<Cloud>& clouds, int first, int rank) {
  HmOtSettings settings;
  settings.restarts = 200;
  settings.subsample = 150;
  StoppedSolve result;
  const auto observe = [&](const DescentRecord& record) {
    result.stages.insert(record.stage);
    if (record.stage.starts_with("start")) result.starts.insert(record.stage);
  };
  const auto ask = [&]() -> std::optional<StopReason> {
    ++result.questions;
    if (comm.rank() != rank || result.questions < first) return std::nullopt;
    return StopReason::time_limit;
  };
  result.solution = solve_hm_ot({comm, Precision::float64, test_device(), 0}, testing_support::chain_problem(comm, clouds, {4}), settings, observe, ask);
  return result;
}

std::vector<Cloud> clouds() {
  return {gaussian_cloud(300, 3, 4, 4.0, 0.0, 151), gaussian_cloud(700, 3, 4, 4.0, 0.5, 152), gaussian_cloud(500, 3, 4, 4.0, 1.0, 153)};
}

/// A feasible state, the same on all ranks.
void expect_end(const Communicator& comm, const HmOtSolution& solution) {
  EXPECT_LE(solution.column_error, 1e-9);
  EXPECT_TRUE(std::isfinite(solution.state.objective));
  for (const Matrix& coupling : solution.state.couplings) EXPECT_NEAR(testing_support::sum_of(coupling.values), 1.0, 1e-12);
  EXPECT_EQ(comm.all_reduce(solution.state.objective, Reduction::max), comm.all_reduce(solution.state.objective, Reduction::min));
}

TEST(Stops, EndTheStartsOfAllRanks) {
  const auto world = make_world_communicator();
  const int told = world->size() - 1;
  for (const int first : {1, 2, 9, 25}) {
    SCOPED_TRACE(first);
    const StoppedSolve run = solve(*world, clouds(), first, told);
    EXPECT_EQ(run.solution.stop_reason, StopReason::time_limit);
    expect_end(*world, run.solution);
    EXPECT_TRUE(std::isnan(run.solution.baseline));
    EXPECT_EQ(run.solution.restarts.size(), 201u);
    EXPECT_LE(run.starts.size(), 1u + static_cast<std::size_t>(first) / 2);
    EXPECT_FALSE(run.stages.contains("sample"));
    // The others learn of it after the rest of a start and its next exchange.
    if (world->rank() == told) EXPECT_EQ(run.questions, first);
    else EXPECT_LE(run.questions, first + 2 * StopPoll::sweeps_between_exchanges + 4);
  }
}

TEST(Stops, EndEveryStageInAFeasibleState) {
  const auto world = make_world_communicator();
  for (const int first : {200, 900, 2000, 3000, 4000}) {
    SCOPED_TRACE(first);
    const StoppedSolve run = solve(*world, clouds(), first, 0);
    const bool is_stopped = world->all_reduce(run.questions, Reduction::max) > first;
    if (world->rank() == 0) { EXPECT_LE(run.questions, first); }
    if (is_stopped && run.solution.stop_reason != StopReason::time_limit) { EXPECT_EQ(run.solution.stop_reason, StopReason::converged); }
    expect_end(*world, run.solution);
  }
}

TEST(StopPoll, AsksInStepUntilOneRankHasAReason) {
  const auto world = make_world_communicator();
  int questions = 0;
  StopPoll stop(*world, [&]() -> std::optional<StopReason> {
    ++questions;
    if (world->rank() == world->size() / 2 && questions == 3) return StopReason::interrupted;
    return std::nullopt;
  });
  EXPECT_EQ(stop.together(), std::nullopt);
  EXPECT_EQ(stop.together(), std::nullopt);
  for (int again = 0; again < 3; ++again) EXPECT_EQ(stop.together(), StopReason::interrupted);
  EXPECT_EQ(questions, 3);
}

TEST(StopPoll, LetsRanksWorkForDifferentTimes) {
  const auto world = make_world_communicator();
  StopPoll stop(*world, {});
  int steps = 0;
  stop.run_apart([&] {
    for (; steps < 50 * world->rank(); ++steps) EXPECT_EQ(stop.after_sweep(), std::nullopt);
  });
  EXPECT_EQ(steps, 50 * world->rank());
  EXPECT_EQ(stop.reason(), std::nullopt);
}

TEST(StopPoll, EndsTheWorkOfOtherRanksWithinOneExchange) {
  const auto world = make_world_communicator();
  StopPoll stop(*world, [&]() -> std::optional<StopReason> {
    if (world->rank() == 0) return StopReason::interrupted;
    return std::nullopt;
  });
  int steps = 0;
  stop.run_apart([&] {
    while (!stop.after_sweep() && steps < 1000) ++steps;
  });
  EXPECT_LE(steps, StopPoll::sweeps_between_exchanges);
  EXPECT_EQ(stop.reason(), StopReason::interrupted);
}

TEST(StopPoll, GivesTheErrorOfOneRankToAllWhileOthersWork) {
  const auto world = make_world_communicator();
  StopPoll stop(*world, {});
  EXPECT_THROW(stop.run_apart([&] {
    if (world->rank() == 0) throw DataError("bad");
    for (int step = 0; step < 100; ++step) stop.after_sweep();
  }), DataError);
}

}  // namespace
}  // namespace thalweg
