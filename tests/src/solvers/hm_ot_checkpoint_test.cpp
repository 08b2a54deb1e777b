// A solve that is stopped in any stage goes on to the bits of one that is not.
#include <gtest/gtest.h>

#include "intra_clouds.hpp"
#include "tests/support/memory_checkpoint.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;
using testing_support::gaussian_cloud;
using testing_support::MemoryCheckpoint;
using testing_support::StopAt;

std::vector<Cloud> clouds() {
  return {gaussian_cloud(300, 3, 4, 4.0, 0.0, 151), gaussian_cloud(700, 3, 4, 4.0, 0.5, 152), gaussian_cloud(500, 3, 4, 4.0, 1.0, 153)};
}

/// Features alone, features and places, or places alone.
enum class Costs { features, fused, places };

HmOtProblem problem_of(const Communicator& comm, Costs costs) {
  static const std::vector<Cloud> slices = clouds();
  if (costs == Costs::features) return testing_support::chain_problem(comm, slices, {4});
  static const auto with_places = [](bool has_features) {
    std::vector<testing_support::IntraSlice> result;
    for (const Cloud& slice : {gaussian_cloud(100, 3, 4, 4.0, 0.0, 151), gaussian_cloud(160, 3, 4, 4.0, 0.5, 152), gaussian_cloud(130, 3, 4, 4.0, 1.0, 153)}) {
      const Cloud places = testing_support::curved_cloud(slice.num_rows, 2, static_cast<std::uint32_t>(160 + result.size()));
      result.push_back({has_features ? slice : testing_support::no_features(places), places});
    }
    return result;
  };
  static const std::vector<testing_support::IntraSlice> fused = with_places(true), places = with_places(false);
  return testing_support::intra_problem(comm, costs == Costs::fused ? fused : places, 0.5, {4});
}

HmOtSolution solve(const Communicator& comm, std::int64_t subsample, Checkpoint* checkpoint, StopAt& stop, Costs costs = Costs::features) {
  HmOtSettings settings;
  settings.restarts = 7;
  settings.subsample = subsample;
  settings.epsilon_end = 1e-4;
  settings.checkpoint = checkpoint;
  return solve_hm_ot({comm, Precision::float64, test_device(), 0}, problem_of(comm, costs), settings, {}, std::ref(stop));
}

void expect_equal(const HmOtSolution& a, const HmOtSolution& b) {
  EXPECT_EQ(a.stop_reason, b.stop_reason);
  EXPECT_EQ(a.epsilon, b.epsilon);
  EXPECT_EQ(a.baseline, b.baseline);
  EXPECT_EQ(a.full_rank_reference, b.full_rank_reference);
  EXPECT_EQ(a.state.objective, b.state.objective);
  EXPECT_EQ(a.state.regularized, b.state.regularized);
  EXPECT_EQ(a.state.couplings, b.state.couplings);
  EXPECT_EQ(a.passes, b.passes);
  for (std::size_t t = 0; t < a.state.slices.size(); ++t) {
    EXPECT_EQ(a.state.slices[t].logits, b.state.slices[t].logits);
    EXPECT_EQ(a.state.slices[t].duals, b.state.slices[t].duals);
    EXPECT_EQ(a.state.slices[t].masses, b.state.slices[t].masses);
  }
  ASSERT_EQ(a.restarts.size(), b.restarts.size());
  for (std::size_t k = 0; k < a.restarts.size(); ++k) {
    EXPECT_EQ(a.restarts[k].start, b.restarts[k].start);
    EXPECT_EQ(a.restarts[k].objective, b.restarts[k].objective);
    EXPECT_EQ(a.restarts[k].is_chosen, b.restarts[k].is_chosen);
  }
  ASSERT_EQ(a.history.size(), b.history.size());
  for (std::size_t k = 0; k < a.history.size(); ++k) {
    EXPECT_EQ(a.history[k].stage, b.history[k].stage);
    EXPECT_EQ(a.history[k].level, b.history[k].level);
    EXPECT_EQ(a.history[k].sweep, b.history[k].sweep);
    EXPECT_EQ(a.history[k].passes, b.history[k].passes);
    EXPECT_EQ(a.history[k].regularized, b.history[k].regularized);
    EXPECT_EQ(a.history[k].stop_reason, b.history[k].stop_reason);
  }
}

TEST(HmOtCheckpoint, GoesOnToTheSameBitsFromAnyStage) {
  const auto comm = make_world_communicator();
  for (const std::int64_t subsample : {150, 5000}) {
    SCOPED_TRACE(subsample);
    StopAt never;
    const HmOtSolution whole = solve(*comm, subsample, nullptr, never);
    EXPECT_EQ(whole.stop_reason, StopReason::converged);
    const int questions = comm->all_reduce(never.questions, Reduction::min);
    ASSERT_GT(questions, 20);
    for (int number = 1; number <= questions; number += number < 3 ? 1 : std::max(1, questions / 4)) {
      SCOPED_TRACE(number);
      MemoryCheckpoint checkpoint;
      StopAt stop{comm->rank() == comm->size() - 1 ? number : 0}, then;
      const HmOtSolution part = solve(*comm, subsample, &checkpoint, stop);
      EXPECT_EQ(part.stop_reason, StopReason::interrupted);
      EXPECT_EQ(checkpoint.num_saved, 1);
      EXPECT_TRUE(std::isfinite(part.state.objective));
      expect_equal(solve(*comm, subsample, &checkpoint, then), whole);
    }
  }
}

TEST(HmOtCheckpoint, GoesOnWithPlacesToo) {
  const auto comm = make_world_communicator();
  for (const Costs costs : {Costs::fused, Costs::places}) {
    StopAt never;
    const HmOtSolution whole = solve(*comm, 80, nullptr, never, costs);
    EXPECT_EQ(whole.stop_reason, StopReason::converged);
    const int questions = comm->all_reduce(never.questions, Reduction::min);
    for (int number = 1; number <= questions; number += std::max(1, questions / 2)) {
      SCOPED_TRACE(number);
      MemoryCheckpoint checkpoint;
      StopAt stop{comm->rank() == comm->size() - 1 ? number : 0}, then;
      EXPECT_EQ(solve(*comm, 80, &checkpoint, stop, costs).stop_reason, StopReason::interrupted);
      expect_equal(solve(*comm, 80, &checkpoint, then, costs), whole);
    }
  }
}

TEST(HmOtCheckpoint, GoesOnAfterALevelThatDidNotConverge) {
  const auto comm = make_world_communicator();
  const auto solve_few_sweeps = [&](Checkpoint* checkpoint, StopAt& stop) {
    HmOtSettings settings;
    settings.restarts = 3;
    settings.max_iterations = 3;
    settings.checkpoint = checkpoint;
    return solve_hm_ot({*comm, Precision::float64, test_device(), 0}, problem_of(*comm, Costs::features), settings, {}, std::ref(stop));
  };
  StopAt never;
  const HmOtSolution whole = solve_few_sweeps(nullptr, never);
  EXPECT_EQ(whole.stop_reason, StopReason::max_iterations);
  MemoryCheckpoint checkpoint;
  StopAt stop{comm->all_reduce(never.questions, Reduction::min)}, then;
  EXPECT_EQ(solve_few_sweeps(&checkpoint, stop).stop_reason, StopReason::interrupted);
  expect_equal(solve_few_sweeps(&checkpoint, then), whole);
}

TEST(HmOtCheckpoint, InSmallPieces) {
  const auto comm = make_world_communicator();
  StopAt never;
  const HmOtSolution whole = solve(*comm, 150, nullptr, never);
  MemoryCheckpoint checkpoint;
  for (int piece = 0; piece < 100; ++piece) {
    StopAt stop{45};  // a round of one start has up to 41 questions
    const HmOtSolution part = solve(*comm, 150, &checkpoint, stop);
    if (part.stop_reason == StopReason::interrupted) continue;
    EXPECT_GE(piece, 1);
    return expect_equal(part, whole);
  }
  FAIL() << "no end";
}

TEST(HmOtCheckpoint, IsNotDisturbedByStatesThatAreSaved) {
  const auto comm = make_world_communicator();
  StopAt never, again;
  const HmOtSolution whole = solve(*comm, 150, nullptr, never);
  MemoryCheckpoint checkpoint;
  checkpoint.is_asked = comm->is_root();
  expect_equal(solve(*comm, 150, &checkpoint, again), whole);
  EXPECT_GT(checkpoint.num_saved, 20);
}

}  // namespace
}  // namespace thalweg
