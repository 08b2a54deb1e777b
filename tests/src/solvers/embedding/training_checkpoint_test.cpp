// A training that is stopped at any step goes on to the bits of one that is not.
#include <gtest/gtest.h>

#include "tests/support/memory_checkpoint.hpp"
#include "training_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Kept : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  Context context{*comm, Precision::float64, Device::cpu, 9};
  Curve curve{*comm, 300, 7};  // two blocks of rows

  static TrainingSettings settings() {
    TrainingSettings settings = settings_of(4, 1);
    settings.pretrain_steps = 4;
    settings.random_steps = 4;
    settings.loss.lambda_entropy = 0.01;
    return settings;
  }
  TrainingProblem problem() const {
    TrainingProblem problem = curve.problem(4);
    problem.couplings.push_back(curve.truth(*comm));
    NamedCoupling mirror = curve.truth(*comm);
    mirror.name = "mirror";
    std::reverse(mirror.coupling.mass.begin(), mirror.coupling.mass.end());
    problem.couplings.push_back(mirror);
    return problem;
  }
  TrainedEncoders train(TrainingSettings settings, StopAt& stop) const {
    TrainingProblem whole = problem();
    return train_encoders(context, whole, settings, {}, std::ref(stop));
  }
  /// As a program does that is started again: without the couplings.
  TrainedEncoders go_on(MemoryCheckpoint& checkpoint, TrainingSettings settings, StopAt& stop) const {
    TrainingProblem rest = curve.problem(4);
    TrainingState state;
    if (!checkpoint.restore([&](StateVisitor& v) { visit_training(v, *comm, state, rest.couplings); }))
      rest.couplings = problem().couplings;
    else settings.begin_from = state;
    settings.checkpoint = &checkpoint;
    return train_encoders(context, rest, settings, {}, std::ref(stop));
  }
};

/// NaN too: of steps that were taken back.
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void expect_equal(const TrainedEncoders& a, const TrainedEncoders& b) {
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.chosen, b.chosen);
  EXPECT_EQ(a.stop_reason, b.stop_reason);
  EXPECT_EQ(a.is_ambiguous, b.is_ambiguous);
  ASSERT_EQ(a.starts.size(), b.starts.size());
  for (std::size_t s = 0; s < a.starts.size(); ++s) {
    EXPECT_EQ(a.starts[s].name, b.starts[s].name);
    EXPECT_EQ(a.starts[s].gw, b.starts[s].gw);
    EXPECT_EQ(a.starts[s].total, b.starts[s].total);
    EXPECT_TRUE(same(a.starts[s].overlap, b.starts[s].overlap));
    EXPECT_EQ(a.starts[s].ended_by, b.starts[s].ended_by);
    EXPECT_EQ(a.starts[s].weights, b.starts[s].weights);
    EXPECT_EQ(a.starts[s].g, b.starts[s].g);
  }
  ASSERT_EQ(a.history.size(), b.history.size());
  for (std::size_t k = 0; k < a.history.size(); ++k) {
    EXPECT_EQ(a.history[k].start, b.history[k].start);
    EXPECT_EQ(a.history[k].phase, b.history[k].phase);
    EXPECT_EQ(a.history[k].step, b.history[k].step);
    EXPECT_TRUE(same(a.history[k].total, b.history[k].total)) << k;
    EXPECT_TRUE(same(a.history[k].gradient_norm, b.history[k].gradient_norm)) << k;
    EXPECT_EQ(a.history[k].sinkhorn_iterations, b.history[k].sinkhorn_iterations);
  }
}

TEST_F(Kept, GoesOnToTheSameBitsFromAnyStep) {
  StopAt never;
  const TrainedEncoders whole = train(settings(), never);
  ASSERT_EQ(whole.starts.size(), 3U);
  EXPECT_EQ(never.questions, 20);  // three starts of 4 steps of training, two of which were fitted first
  for (int number = 1; number <= never.questions; number += 3) {
    SCOPED_TRACE(number);
    MemoryCheckpoint checkpoint;
    StopAt stop{number}, then;
    const TrainedEncoders part = go_on(checkpoint, settings(), stop);
    EXPECT_EQ(part.stop_reason, StopReason::interrupted);
    ASSERT_EQ(checkpoint.num_saved, 1);
    expect_equal(go_on(checkpoint, settings(), then), whole);
    EXPECT_EQ(stop.questions + then.questions, never.questions);
  }
}

TEST_F(Kept, InPiecesOfOneStepEach) {
  StopAt never;
  const TrainedEncoders whole = train(settings(), never);
  MemoryCheckpoint checkpoint;
  for (int piece = 0; piece < 100; ++piece) {
    StopAt stop{1};
    const TrainedEncoders part = go_on(checkpoint, settings(), stop);
    if (part.stop_reason == StopReason::interrupted) continue;
    EXPECT_EQ(piece, never.questions);
    return expect_equal(part, whole);
  }
  FAIL() << "no end";
}

TEST_F(Kept, IsNotDisturbedByStatesThatAreSaved) {
  StopAt never, again;
  const TrainedEncoders whole = train(settings(), never);
  MemoryCheckpoint checkpoint;
  checkpoint.is_asked = comm->is_root();
  expect_equal(go_on(checkpoint, settings(), again), whole);
  EXPECT_EQ(checkpoint.num_saved, again.questions);
}

TEST_F(Kept, GoesOnAfterAStepThatWasTakenBack) {
  TrainingSettings wild = settings();
  wild.learning_rate = 1e200;
  wild.steps = 6;
  StopAt never;
  const TrainedEncoders whole = train(wild, never);
  for (const int number : {5, 6, 7}) {
    MemoryCheckpoint checkpoint;
    StopAt stop{number}, then;
    go_on(checkpoint, wild, stop);
    expect_equal(go_on(checkpoint, wild, then), whole);
  }
}

/// Distances over their mean at the first step, which is part of the state.
TEST_F(Kept, GoesOnWithTheScaleOfTheFirstStep) {
  TrainingSettings squares = settings();
  squares.loss.cost = EmbeddingCost::sq_euclidean;
  StopAt never;
  const TrainedEncoders whole = train(squares, never);
  for (const int number : {2, 7, 18}) {
    MemoryCheckpoint checkpoint;
    StopAt stop{number}, then;
    go_on(checkpoint, squares, stop);
    expect_equal(go_on(checkpoint, squares, then), whole);
  }
}

TEST_F(Kept, HoldsNoMoreThanIsTold) {
  StopAt stop{1}, later{8};
  MemoryCheckpoint first, second;
  go_on(first, settings(), stop);
  go_on(second, settings(), later);
  EXPECT_TRUE(first.holds("coupling_0/mass"));
  EXPECT_TRUE(first.holds("coupling_1/mass"));
  EXPECT_FALSE(second.holds("coupling_0/mass")) << "is fitted already";
  EXPECT_TRUE(second.holds("coupling_1/mass"));
  std::size_t bytes = 0;
  for (const char* name : {"weights", "weights_before", "adam/first", "adam/second", "adam_before/first",
                           "adam_before/second", "best_weights", "outcome_vectors", "outcomes_vectors", "g", "beta"})
    bytes += second.bytes_of(name);
  const TrainingProblem problem = curve.problem(4);
  EXPECT_LE(static_cast<std::int64_t>(bytes), training_state_bytes(3, problem.encoders.num_weights(), curve.n));
  EXPECT_GE(2 * static_cast<std::int64_t>(bytes), training_state_bytes(3, problem.encoders.num_weights(), curve.n));
}

}  // namespace
}  // namespace thalweg
