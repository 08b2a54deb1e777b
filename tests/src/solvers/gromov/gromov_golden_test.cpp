// Values of POT 0.9.7 on the small problem, from a b^T without annealing.
#include <gtest/gtest.h>

#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Golden {
  double epsilon, energy, primal;
};

GromovSettings tight() {
  GromovSettings settings;
  settings.epsilon_start.reset();
  settings.tolerance = 1e-12;
  settings.inner_tolerance = 1e-11;
  settings.inner_iterations = 20000;
  settings.max_outer = 5000;
  return settings;
}

class GromovGolden : public ::testing::Test {
 protected:
  GromovSolution solve(const IntraCosts& source, const IntraCosts& target, double epsilon) const {
    return solve_gromov(context_, {source, target, x_.weights, y_.weights, epsilon}, tight());
  }
  static void expect_golden(const GromovSolution& solution, const Golden& golden) {
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.energy, golden.energy, 1e-7);
    EXPECT_NEAR(solution.primal, golden.primal, 1e-7);
    EXPECT_LE(solution.coupling.error_source, 1e-10);
    EXPECT_LE(solution.coupling.error_target, 1e-10);
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  ToySide x_ = toy_source(), y_ = toy_target();
};

TEST_F(GromovGolden, DistancesEndWherePotEnds) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  for (const Golden golden : {Golden{0.05, 0.0895636391, 0.1030777268}, {0.01, 0.0416317364, 0.0621309649}})
    expect_golden(solve(StoredIntraCosts{24, std::span<const double>(a), x_.largest(false)},
                        StoredIntraCosts{20, std::span<const double>(b), y_.largest(false)}, golden.epsilon),
                  golden);
}

TEST_F(GromovGolden, StoredSquaresEndWherePotEnds) {
  const Vector a = x_.distances(true), b = y_.distances(true);
  for (const Golden golden : {Golden{0.05, 0.0894502917, 0.1015057193}, {0.01, 0.0530084176, 0.0702873657}})
    expect_golden(solve(StoredIntraCosts{24, std::span<const double>(a), x_.largest(true)},
                        StoredIntraCosts{20, std::span<const double>(b), y_.largest(true)}, golden.epsilon),
                  golden);
}

TEST_F(GromovGolden, SquaresThatAreNeverFormedEndWherePotEnds) {
  for (const Golden golden : {Golden{0.05, 0.0894502917, 0.1015057193}, {0.01, 0.0530084176, 0.0702873657}})
    expect_golden(
        solve(SquaredDistances{{24, 3, std::span<const double>(x_.points)}, x_.largest(true)},
              SquaredDistances{{20, 4, std::span<const double>(y_.points)}, y_.largest(true)}, golden.epsilon),
        golden);
}

/// M stored, and as distances between features that both sides share.
TEST_F(GromovGolden, FusedDistancesEndWherePotEnds) {
  const Vector a = x_.distances(false), b = y_.distances(false), linear = toy_linear(), u = toy_shared(24, 1.0),
               v = toy_shared(20, 1.1);
  for (const LinearCosts& given :
       {LinearCosts(StoredLinearCosts{std::span<const double>(linear)}),
        LinearCosts(SharedFeatures{{24, 2, std::span<const double>(u)}, {20, 2, std::span<const double>(v)}})}) {
    GromovProblem problem{StoredIntraCosts{24, std::span<const double>(a), x_.largest(false)},
                          StoredIntraCosts{20, std::span<const double>(b), y_.largest(false)}, x_.weights, y_.weights,
                          0.02};
    problem.alpha = 0.5;
    problem.linear = given;
    problem.normalise = Normalise::none;
    const GromovSolution solution = solve_gromov(context_, problem, tight());
    expect_golden(solution, {0.02, 0.5 * (0.0925948653 + 0.2881262652), 0.2363379308});
    EXPECT_NEAR(solution.energy_gw, 0.0925948653, 1e-7);
    EXPECT_NEAR(solution.energy_linear, 0.2881262652, 1e-7);
  }
}

class GromovRelaxedGolden : public GromovGolden {
 protected:
  GromovProblem distances(double epsilon) const {
    return {StoredIntraCosts{24, std::span<const double>(a_), x_.largest(false)},
            StoredIntraCosts{20, std::span<const double>(b_), y_.largest(false)}, x_.weights, y_.weights, epsilon};
  }
  Vector a_ = x_.distances(false), b_ = y_.distances(false);
};

TEST_F(GromovRelaxedGolden, UnbalancedDistancesEndWherePotEnds) {
  struct Case {
    double epsilon, rho, mass, energy, primal;
  };
  for (const Case& golden : {Case{0.02, 0.5, 0.9265585815, 0.0405149985, 0.0721594894},
                             Case{0.05, 0.1, 0.6742897185, 0.0372183106, 0.0681666719}}) {
    GromovProblem problem = distances(golden.epsilon);
    problem.mode = GromovMode::unbalanced;
    problem.rho_1 = problem.rho_2 = golden.rho;
    const GromovSolution solution = solve_gromov(context_, problem, tight());
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.coupling.mass, golden.mass, 1e-7);
    EXPECT_NEAR(solution.energy, golden.energy, 1e-7);
    EXPECT_NEAR(solution.primal, golden.primal, 1e-7);
    EXPECT_FALSE(solution.coupling.is_collapsed);
  }
}

TEST_F(GromovRelaxedGolden, SemiRelaxedDistancesEndWherePlainLoopsEnd) {
  GromovProblem problem = distances(0.05);
  problem.mode = GromovMode::semi_relaxed;
  const GromovSolution solution = solve_gromov(context_, problem, tight());
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.energy, 0.0767421439, 1e-7);
  EXPECT_NEAR(solution.primal, 0.0935922039, 1e-7);
  EXPECT_LE(solution.coupling.error_source, 1e-10);
}

}  // namespace
}  // namespace thalweg
