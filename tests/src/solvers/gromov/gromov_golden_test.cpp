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

}  // namespace
}  // namespace thalweg
