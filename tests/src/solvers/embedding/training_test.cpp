// Training of encoders on a small problem whose partners are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "training_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;
using Vector = std::vector<double>;

/// Share of targets whose partner of most mass is within 5 % of the curve of their own place.
double share_near(const Context& context, const Curve& curve, const TrainingProblem& problem,
                  const TrainedEncoders& trained) {
  EmbeddingCouplingProblem coupling;
  coupling.dim = problem.loss.dimension;
  coupling.a = problem.loss.a;
  coupling.b = problem.loss.b;
  const EmbeddingCoupling solved = couple_embeddings(
      context, coupling, embed_owned(context.comm, problem.encoders, trained.weights, problem.cells));
  const RowRange rows = own_points(curve.n, context.comm);
  const Vector p = solved.geometry->coupling_rows(rows, solved.solution.f, solved.solution.g);
  std::int64_t near = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const auto row = p.begin() + i * curve.n;
    const std::int64_t best = std::max_element(row, row + curve.n) - row;
    near += std::abs(curve.place(rows.begin + i) - curve.place(curve.partner(best))) < 0.05 ? 1 : 0;
  }
  return static_cast<double>(near) / static_cast<double>(rows.size());
}

TEST(Training, FollowsACouplingAndThenLowersTheLoss) {
  const auto self = make_self_communicator();
  const Context context{*self, Precision::float64, Device::cpu, 4};
  const Curve curve(*self, 120, 7);
  TrainingProblem problem = curve.problem(4);
  problem.couplings.push_back(curve.truth(*self));
  const TrainedEncoders fitted = train_encoders(context, problem, settings_of(0, 0));
  ASSERT_EQ(fitted.starts.size(), 1U);
  EXPECT_EQ(fitted.history.size(), 60U);
  EXPECT_LT(fitted.history.back().total, 0.8 * fitted.history.front().total);
  EXPECT_TRUE(fitted.starts[0].keeps_fitted);
  EXPECT_GT(share_near(context, curve, problem, fitted), 0.8);
  const TrainedEncoders trained = train_encoders(context, problem, settings_of(30, 0));
  EXPECT_EQ(trained.starts[0].fitted_gw, fitted.starts[0].gw) << "the same seed";
  EXPECT_LT(trained.starts[0].gw, fitted.starts[0].gw);
  EXPECT_EQ(trained.stop_reason, StopReason::converged);
}

TEST(Training, ChoosesTheStartOfLeastLoss) {
  const auto self = make_self_communicator();
  const Context context{*self, Precision::float64, Device::cpu, 5};
  const Curve curve(*self, 80, 7);
  TrainingProblem problem = curve.problem(4);
  NamedCoupling wrong = curve.truth(*self);  // mirrored
  wrong.name = "mirror";
  std::reverse(wrong.coupling.mass.begin(), wrong.coupling.mass.end());
  problem.couplings.push_back(wrong);
  problem.couplings.push_back(curve.truth(*self));
  TrainingSettings settings = settings_of(5, 1);
  settings.random_steps = 10;
  const TrainedEncoders trained = train_encoders(context, problem, settings);
  ASSERT_EQ(trained.starts.size(), 3U);
  for (const StartOutcome& start : trained.starts) EXPECT_GE(start.gw, trained.starts[trained.chosen].gw);
  EXPECT_NE(trained.starts[trained.chosen].name, "mirror");
  EXPECT_EQ(trained.starts[trained.chosen].overlap, 1.0);
  EXPECT_EQ(trained.starts[2].name, "random 1");
  EXPECT_TRUE(std::isnan(trained.starts[2].fitted_gw));
  EXPECT_EQ(trained.weights, trained.starts[trained.chosen].weights);
}

TEST(Training, EndsWhenToldToWithTheBestSoFar) {
  const auto self = make_self_communicator();
  const Context context{*self, Precision::float64, Device::cpu, 6};
  const Curve curve(*self, 60, 7);
  TrainingProblem problem = curve.problem(3);
  problem.couplings.push_back(curve.truth(*self));
  std::int64_t asked = 0;
  const StopCheck check = [&]() -> std::optional<StopReason> {
    return ++asked >= 10 ? std::optional(StopReason::interrupted) : std::nullopt;
  };
  const TrainedEncoders trained = train_encoders(context, problem, settings_of(50, 2), {}, check);
  EXPECT_EQ(trained.stop_reason, StopReason::interrupted);
  EXPECT_EQ(trained.starts.size(), 1U);
  EXPECT_EQ(trained.history.size(), 10U);
  EXPECT_TRUE(std::isfinite(trained.starts[0].gw));
}

TEST(Training, TakesStepsBackThatLeadNowhere) {
  const auto self = make_self_communicator();
  const Context context{*self, Precision::float64, Device::cpu, 7};
  const Curve curve(*self, 60, 7);
  TrainingProblem problem = curve.problem(3);
  problem.couplings.push_back(curve.truth(*self));
  TrainingSettings settings = settings_of(20, 0);
  settings.learning_rate = 1e200;
  const TrainedEncoders trained = train_encoders(context, problem, settings);
  EXPECT_EQ(trained.stop_reason, StopReason::nonfinite);
  EXPECT_EQ(trained.starts[0].ended_by, "nonfinite");
  EXPECT_EQ(trained.starts[0].gw, trained.starts[0].fitted_gw) << "the best weights are kept";
}

/// 50 steps in float64: relative differences of the loss and of the weights to those of one rank.
TEST(TrainingOnRanks, GoesTheWayOfOneRank) {
  const auto world = make_world_communicator();
  const auto self = make_self_communicator();
  const auto trained_on = [](const Communicator& comm) {
    const Context context{comm, Precision::float64, Device::cpu, 8};
    const Curve curve(comm, 530, 7);
    TrainingProblem problem = curve.problem(4);
    problem.couplings.push_back(curve.truth(comm));
    TrainingSettings settings = settings_of(50, 0);
    settings.pretrain_steps = 10;
    return train_encoders(context, problem, settings);
  };
  const TrainedEncoders one = trained_on(*self), all = trained_on(*world);
  ASSERT_EQ(one.history.size(), all.history.size());
  for (std::size_t k = 0; k < one.history.size(); ++k)
    EXPECT_NEAR(all.history[k].total, one.history[k].total, 1e-8 * std::abs(one.history[k].total)) << "step " << k;
  double largest = 0.0, difference = 0.0;
  for (std::size_t k = 0; k < one.weights.size(); ++k) {
    largest = std::max(largest, std::abs(one.weights[k]));
    difference = std::max(difference, std::abs(one.weights[k] - all.weights[k]));
  }
  EXPECT_LE(difference, 1e-8 * largest);
}

}  // namespace
}  // namespace thalweg
