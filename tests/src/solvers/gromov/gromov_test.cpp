// What holds for every alignment, whatever the data.
#include <gtest/gtest.h>

#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

class Gromov : public ::testing::Test {
 protected:
  GromovSolution solve(const IntraCosts& source, const IntraCosts& target, double epsilon,
                       const GromovSettings& settings = {}) const {
    return solve_gromov(context_, {source, target, x_.weights, y_.weights, epsilon}, settings);
  }
  static StoredIntraCosts stored(const ToySide& side, const Vector& costs) {
    return {side.size, std::span<const double>(costs), 4.0};
  }
  static SquaredDistances squares(const ToySide& side) {
    return {{side.size, side.dimension, std::span<const double>(side.points)}, 8.0};
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  ToySide x_ = toy_source(), y_ = toy_target();
};

/// The four-index sum.
double loss_of(const Vector& coupling, const Vector& a, const Vector& b, std::size_t n, std::size_t m) {
  double loss = 0.0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < m; ++j)
        for (std::size_t l = 0; l < m; ++l) {
          const double difference = a[i * n + k] - b[j * m + l];
          loss += difference * difference * coupling[i * m + j] * coupling[k * m + l];
        }
  return loss;
}

TEST_F(Gromov, ReportsTheFourIndexSumOfTheCouplingItReturns) {
  for (const bool is_squared : {false, true}) {
    Vector a = x_.distances(is_squared), b = y_.distances(is_squared);
    const double divisor = is_squared ? 8.0 : 4.0;
    for (double& cost : a) cost /= divisor;
    for (double& cost : b) cost /= divisor;
    GromovSettings settings;
    settings.inner_tolerance = 1e-13;
    settings.inner_iterations = 20000;
    const GromovSolution solution = is_squared
                                        ? solve(squares(x_), squares(y_), 0.02, settings)
                                        : solve(StoredIntraCosts{24, std::span<const double>(a), 1.0},
                                                StoredIntraCosts{20, std::span<const double>(b), 1.0}, 0.02, settings);
    const Vector coupling = solution.geometry->coupling_rows({0, 24}, solution.coupling.f, solution.coupling.g);
    EXPECT_NEAR(solution.energy, loss_of(coupling, a, b, 24, 20), 1e-10);
    EXPECT_NEAR(solution.primal, solution.energy + 0.02 * solution.coupling.relative_entropy, 1e-14);
  }
}

TEST_F(Gromov, NeverRisesForSquaredDistances) {
  for (const double epsilon : {1e-4, 1e-3, 1e-2, 0.1, 1.0}) {
    GromovSettings settings;
    settings.epsilon_start.reset();
    settings.inner_tolerance = 1e-7;
    settings.inner_iterations = 50000;
    settings.max_outer = 300;
    const GromovSolution solution = solve(squares(x_), squares(y_), epsilon, settings);
    if (epsilon >= 1e-3) {
      EXPECT_EQ(solution.stop_reason, StopReason::converged) << epsilon;
    } else {  // rounding decides whether its linear problems reach the tolerance
      EXPECT_TRUE(solution.stop_reason == StopReason::stagnated || solution.stop_reason == StopReason::max_iterations);
    }
    double lowest = std::numeric_limits<double>::infinity();
    for (const GromovRecord& step : solution.history) {
      EXPECT_EQ(step.step, 1.0);
      if (step.error_target > 1e-7) continue;  // F of marginals that are not yet right
      EXPECT_LE(step.primal, lowest + 1e-7) << epsilon << " step " << step.outer;
      lowest = std::min(lowest, step.primal);
    }
    EXPECT_LE(solution.primal, lowest + 1e-7);
  }
}

TEST_F(Gromov, IsTheProductOfTheWeightsForLargeEpsilon) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  for (const GromovSolution& solution :
       {solve(stored(x_, a), stored(y_, b), 1e3), solve(squares(x_), squares(y_), 1e3)}) {
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    const Vector coupling = solution.geometry->coupling_rows({0, 24}, solution.coupling.f, solution.coupling.g);
    for (std::size_t i = 0; i < 24; ++i)
      for (std::size_t j = 0; j < 20; ++j) EXPECT_NEAR(coupling[i * 20 + j], x_.weights[i] * y_.weights[j], 1e-5);
  }
}

TEST_F(Gromov, DoesNotDependOnOrderOrPlaceOfPoints) {
  const GromovSolution before = solve(squares(x_), squares(y_), 0.02);
  ToySide moved = y_;
  std::reverse(moved.points.begin(), moved.points.end());  // order of points and of coordinates
  std::reverse(moved.weights.begin(), moved.weights.end());
  for (double& value : moved.points) value += 3.0;
  const GromovSolution after =
      solve_gromov(context_, {squares(x_), squares(moved), x_.weights, moved.weights, 0.02}, {});
  EXPECT_NEAR(after.primal, before.primal, 1e-8);
}

/// A curve without symmetry, and the same points in another order and turned by 90 degrees.
TEST_F(Gromov, FindsAnIsometry) {
  constexpr std::int64_t n = 200;
  Vector x, y(3 * n);
  const auto place = [](std::int64_t i) { return (i * 77 + 31) % n; };
  for (std::int64_t i = 0; i < n; ++i) {
    const double u = static_cast<double>(i) / 100.0;
    x.insert(x.end(),
             {std::cos(0.7 * static_cast<double>(i)), std::sin(1.3 * static_cast<double>(i) + 0.2), u + 0.3 * u * u});
    const double* point = x.data() + 3 * i;
    std::copy_n(Vector{-point[1], point[0], point[2]}.begin(), 3, y.begin() + 3 * place(i));
  }
  const Vector weights(n, 1.0 / n);
  GromovSettings settings;
  settings.inner_iterations = 10000;
  const double largest = ToySide{n, 3, x, weights}.largest(true);
  const GromovSolution solution =
      solve_gromov(context_,
                   {SquaredDistances{{n, 3, std::span<const double>(x)}, largest},
                    SquaredDistances{{n, 3, std::span<const double>(y)}, largest}, weights, weights, 1e-3},
                   settings);
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.energy, 3.1e-4, 0.2e-4);
  const Vector coupling = solution.geometry->coupling_rows({0, n}, solution.coupling.f, solution.coupling.g);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto row = coupling.begin() + i * n;
    EXPECT_EQ(std::max_element(row, row + n) - row, place(i));
  }
}

TEST_F(Gromov, TellsWhenItDidNotFinish) {
  GromovSettings settings;
  settings.epsilon_start.reset();
  settings.max_outer = 2;
  settings.tolerance = 1e-14;
  const GromovSolution cut = solve(squares(x_), squares(y_), 0.01, settings);
  EXPECT_EQ(cut.stop_reason, StopReason::max_iterations);
  EXPECT_EQ(cut.history.back().stop_reason, StopReason::max_iterations);
  const auto stop = [] { return std::optional(StopReason::interrupted); };
  EXPECT_EQ(solve_gromov(context_, {squares(x_), squares(y_), x_.weights, y_.weights, 0.01}, {}, {}, stop).stop_reason,
            StopReason::interrupted);
}

TEST_F(Gromov, RefusesSidesOfDifferentKindsAndBadWeights) {
  const Vector b = y_.distances(true);
  EXPECT_THROW(solve(squares(x_), stored(y_, b), 0.02), DataError);
  EXPECT_THROW(solve_gromov(context_, {squares(x_), squares(y_), Vector(24, 1.0), y_.weights, 0.02}, {}), DataError);
  Vector points = x_.points;
  points[7] = std::nan("");
  EXPECT_THROW(solve(SquaredDistances{{24, 3, std::span<const double>(points)}, 1.0}, squares(y_), 0.02), DataError);
}

TEST_F(Gromov, AlignsSinglePoints) {
  const Vector point{1.0, 2.0};
  const IntraCosts side = SquaredDistances{{1, 2, std::span<const double>(point)}, 1.0};
  const GromovSolution solution = solve_gromov(context_, {side, side, {1.0}, {1.0}, 0.01}, {});
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.energy, 0.0);
  EXPECT_NEAR(solution.coupling.mass, 1.0, 1e-12);
}

/// More pairs than are left to the host.
TEST_F(Gromov, OfManyStoredCostsOnADeviceIsThatOfTheHost) {
  if (test_device() == Device::cpu) GTEST_SKIP() << "a build without a device";
  const ToySide x = toy_source(1010), y = toy_target(1000);
  const Vector of_x = x.distances(false), of_y = y.distances(false);
  const GromovProblem problem{StoredIntraCosts{x.size, std::span<const double>(of_x), x.largest(false)},
                              StoredIntraCosts{y.size, std::span<const double>(of_y), y.largest(false)}, x.weights,
                              y.weights, 0.02};
  GromovSettings settings;
  settings.max_outer = 3;
  settings.epsilon_start.reset();
  const auto solve_on = [&](Device device, Precision precision) {
    return solve_gromov({*comm_, precision, device, 0}, problem, settings);
  };
  for (const auto& [precision, tolerance] : {std::pair{Precision::float64, 1e-9}, {Precision::float32, 1e-4}}) {
    const GromovSolution solution = solve_on(test_device(), precision), expected = solve_on(Device::cpu, precision);
    EXPECT_EQ(solution.history.size(), expected.history.size());
    EXPECT_NEAR(solution.energy, expected.energy, tolerance * expected.energy);
    EXPECT_NEAR(solution.primal, expected.primal, tolerance * expected.primal);
    EXPECT_LT(solution.coupling.error_target, 1e-4);
  }
}

}  // namespace
}  // namespace thalweg
