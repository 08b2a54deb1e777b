// A solve that is stopped at any evaluation goes on to the bits of one that is not.
#include <gtest/gtest.h>

#include "cases.hpp"
#include "tests/support/memory_checkpoint.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Case {
  std::string name;
  Acceleration acceleration = Acceleration::anderson;
  Precision precision = Precision::float64;
  double lambda = infinity;
  double epsilon = 0.02;
  bool is_warm = false;
  std::int64_t check_every = 1;
};

const std::vector<Case>& all_cases() {
  static const std::vector<Case> list = {
      {"anderson"},
      {"overrelaxed", Acceleration::overrelax},
      {"plain", Acceleration::none, Precision::float64, infinity, 0.1},
      {"relaxed", Acceleration::anderson, Precision::float64, 2.0},
      {"float32 that goes on in float64", Acceleration::anderson, Precision::float32},
      {"bad warm start", Acceleration::anderson, Precision::float64, infinity, 0.02, true},
      {"rare checks", Acceleration::anderson, Precision::float64, infinity, 0.02, false, 5},
  };
  return list;
}

Clouds clouds() {
  Clouds result = small_clouds();
  for (int k = 0; k < 6; ++k) {  // 280 rows: two blocks
    for (int i = 0; i < 40; ++i)
      for (int d = 0; d < 3; ++d) result.x.push_back(std::sin(1 + 0.37 * i * (d + 1) + 0.11 * k));
    for (int i = 0; i < 40; ++i) result.a.push_back(result.a[static_cast<std::size_t>(i)]);
  }
  result.a = normalised(result.a);
  return result;
}

SinkhornSolution solve(const Communicator& comm, const Case& c, Checkpoint* checkpoint, StopAt& stop) {
  const Clouds sides = clouds();
  const auto geometry = reference::make_dense_geometry(comm, sides.costs(), static_cast<std::int64_t>(sides.b.size()), c.precision);
  geometry->set_scale(sides.scale);
  SinkhornProblem problem;
  problem.geometry = geometry.get();
  problem.a = sides.a;
  problem.b = sides.b;
  problem.epsilon = c.epsilon;
  problem.lambda1 = problem.lambda2 = c.lambda;
  if (c.is_warm)
    for (std::size_t j = 0; j < sides.b.size(); ++j) problem.initial_g.push_back(j % 2 == 0 ? 3.0 : -3.0);
  SinkhornSettings settings;
  settings.tolerance = 1e-9;
  settings.gap_tolerance = 1e-8;
  settings.acceleration = c.acceleration;
  settings.check_every = c.check_every;
  settings.checkpoint = checkpoint;
  return solve_sinkhorn({comm, c.precision, test_device(), 0}, problem, settings, {}, std::ref(stop));
}

void expect_equal(const SinkhornSolution& a, const SinkhornSolution& b) {
  EXPECT_EQ(a.stop_reason, b.stop_reason);
  EXPECT_EQ(a.f, b.f);
  EXPECT_EQ(a.g, b.g);
  EXPECT_EQ(a.cost, b.cost);
  EXPECT_EQ(a.dual, b.dual);
  EXPECT_EQ(a.evaluations, b.evaluations);
  EXPECT_EQ(a.evaluations_float64, b.evaluations_float64);
  EXPECT_EQ(a.restarts, b.restarts);
  EXPECT_EQ(a.needs_float64, b.needs_float64);
  ASSERT_EQ(a.history.size(), b.history.size());
  for (std::size_t k = 0; k < a.history.size(); ++k) {
    const SinkhornRecord &first = a.history[k], &second = b.history[k];
    EXPECT_EQ(first.evaluation, second.evaluation);
    EXPECT_EQ(first.level, second.level);
    EXPECT_EQ(first.error, second.error);
    EXPECT_EQ(first.mode, second.mode);
    EXPECT_EQ(first.is_accelerated, second.is_accelerated);
    EXPECT_EQ(first.stop_reason, second.stop_reason);
  }
}

TEST(SinkhornCheckpoint, GoesOnToTheSameBitsFromAnyEvaluation) {
  const auto comm = make_world_communicator();
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(c.name);
    StopAt never;
    const SinkhornSolution whole = solve(*comm, c, nullptr, never);
    EXPECT_EQ(whole.stop_reason, StopReason::converged);
    ASSERT_GT(never.questions, 6);
    const int stride = std::max(1, never.questions / 25);
    for (int number = 1; number <= never.questions; number += number < 6 ? 1 : stride) {
      SCOPED_TRACE(number);
      MemoryCheckpoint checkpoint;
      StopAt stop{number}, then;
      const SinkhornSolution part = solve(*comm, c, &checkpoint, stop);
      EXPECT_EQ(part.stop_reason, StopReason::interrupted);
      EXPECT_EQ(part.history.back().stop_reason, StopReason::interrupted);
      ASSERT_EQ(checkpoint.num_saved, 1);
      expect_equal(solve(*comm, c, &checkpoint, then), whole);
    }
  }
}

TEST(SinkhornCheckpoint, InPiecesOfOneStepEach) {
  const auto comm = make_world_communicator();
  StopAt never;
  const SinkhornSolution whole = solve(*comm, all_cases().front(), nullptr, never);
  MemoryCheckpoint checkpoint;
  for (int piece = 0; piece < 1000; ++piece) {
    StopAt stop{1};
    const SinkhornSolution part = solve(*comm, all_cases().front(), &checkpoint, stop);
    if (part.stop_reason == StopReason::interrupted) continue;
    EXPECT_GT(piece, 6);
    return expect_equal(part, whole);
  }
  FAIL() << "no end";
}

TEST(SinkhornCheckpoint, IsNotDisturbedByStatesThatAreSaved) {
  const auto comm = make_world_communicator();
  StopAt never, again;
  const SinkhornSolution whole = solve(*comm, all_cases().front(), nullptr, never);
  MemoryCheckpoint checkpoint;
  checkpoint.is_asked = comm->is_root();
  expect_equal(solve(*comm, all_cases().front(), &checkpoint, again), whole);
  EXPECT_EQ(checkpoint.num_saved, again.questions);
}

TEST(SinkhornCheckpoint, HasTheBytesThatAreTold) {
  const auto comm = make_self_communicator();
  const Clouds sides = clouds();
  for (const Acceleration acceleration : {Acceleration::anderson, Acceleration::overrelax}) {
    Case c{"", acceleration};
    MemoryCheckpoint checkpoint;
    StopAt never;
    solve(*comm, c, nullptr, never);
    StopAt stop{never.questions - 1};
    solve(*comm, c, &checkpoint, stop);
    std::size_t bytes = 0;
    std::vector<std::string> names = {"f", "point/g", "best_g"};
    if (acceleration == Acceleration::overrelax) names.push_back("acceleration/previous_g");
    else names.push_back("acceleration/last_image");
    for (int k = 0; k < 9 && acceleration == Acceleration::anderson; ++k)
      names.insert(names.end(), {"acceleration/image_" + std::to_string(k), "acceleration/residual_" + std::to_string(k)});
    for (const std::string& name : names) bytes += checkpoint.bytes_of(name);
    SinkhornSettings settings;
    settings.acceleration = acceleration;
    EXPECT_EQ(bytes, 8 * (sides.a.size() + static_cast<std::size_t>(sinkhorn_state_vectors(settings)) * sides.b.size()));
    EXPECT_FALSE(checkpoint.holds("acceleration/image_9"));
  }
}

}  // namespace
}  // namespace thalweg
