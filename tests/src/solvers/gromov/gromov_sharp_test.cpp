// Frank-Wolfe steps: alignment without regularisation.
#include <gtest/gtest.h>

#include "solvers/gromov/transport_vertex.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

class GromovSharp : public ::testing::Test {
 protected:
  static GromovSettings sharp() {
    GromovSettings settings;
    settings.algorithm = GromovAlgorithm::frank_wolfe;
    return settings;
  }
  GromovProblem distances(const ToySide& x, const ToySide& y, bool is_squared, double epsilon) {
    a_ = x.distances(is_squared);
    b_ = y.distances(is_squared);
    return {StoredIntraCosts{x.size, std::span<const double>(a_), x.largest(is_squared)},
            StoredIntraCosts{y.size, std::span<const double>(b_), x.largest(is_squared)}, x.weights, y.weights,
            epsilon};
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  Vector a_, b_;
};

constexpr std::int64_t curve_size = 200;
std::int64_t place_on_curve(std::int64_t i) { return (i * 77 + 31) % curve_size; }

/// A curve without symmetry, and the same points in another order and turned by 90 degrees.
std::pair<ToySide, ToySide> isometric_curves() {
  ToySide x{curve_size, 3, {}, Vector(curve_size, 1.0 / curve_size)}, y = x;
  y.points.resize(3 * curve_size);
  for (std::int64_t i = 0; i < curve_size; ++i) {
    const double u = static_cast<double>(i) / 100.0;
    const Vector point{std::cos(0.7 * static_cast<double>(i)), std::sin(1.3 * static_cast<double>(i) + 0.2),
                       u + 0.3 * u * u};
    x.points.insert(x.points.end(), point.begin(), point.end());
    std::copy_n(Vector{-point[1], point[0], point[2]}.begin(), 3, y.points.begin() + 3 * place_on_curve(i));
  }
  return {x, y};
}

TEST_F(GromovSharp, FindsAnIsometryExactly) {
  const auto [x, y] = isometric_curves();
  for (const bool is_squared : {false, true}) {
    GromovSettings settings = sharp();
    settings.inner_iterations = 10000;
    const GromovSolution solution = solve_gromov(context_, distances(x, y, is_squared, 1e-3), settings);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_LE(std::abs(solution.energy), 1e-10);
    EXPECT_EQ(solution.primal, solution.energy);
    EXPECT_EQ(solution.epsilon, 0.0);
    const Vector coupling = solution.geometry->coupling_rows({0, curve_size}, solution.coupling.f, solution.coupling.g);
    for (std::int64_t i = 0; i < curve_size; ++i)
      for (std::int64_t j = 0; j < curve_size; ++j)
        EXPECT_NEAR(coupling[static_cast<std::size_t>(i * curve_size + j)],
                    j == place_on_curve(i) ? 1.0 / curve_size : 0.0, 1e-15);
  }
}

TEST_F(GromovSharp, LowersTheLossOfTheEntropicCouplingAtEveryStep) {
  const GromovProblem problem = distances(toy_source(), toy_target(), false, 0.02);
  const GromovSolution entropic = solve_gromov(context_, problem, {}),
                       solution = solve_gromov(context_, problem, sharp());
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LT(solution.energy, entropic.energy);
  EXPECT_LE(solution.gap, 1e-7 * solution.energy);
  EXPECT_LE(solution.coupling.error_source, 1e-14);
  EXPECT_LE(solution.coupling.error_target, 1e-14);
  EXPECT_NEAR(solution.coupling.mass, 1.0, 1e-14);
  double before = std::numeric_limits<double>::infinity();
  for (auto step = solution.history.begin() + entropic.outer; step != solution.history.end(); ++step) {
    EXPECT_LE(step->energy, before + 1e-15);
    EXPECT_EQ(step->epsilon, 0.0);
    before = step->energy;
  }
  const Vector coupling = solution.geometry->coupling_rows({0, 24}, solution.coupling.f, solution.coupling.g);
  double mass = 0.0;
  for (const double entry : coupling) mass += entry;
  EXPECT_NEAR(mass, 1.0, 1e-12);
}

TEST_F(GromovSharp, RefusesWhatItCannotSolve) {
  const ToySide x = toy_source(), y = toy_target();
  GromovProblem problem = distances(x, y, false, 0.02);
  EXPECT_THROW(solve_gromov({*comm_, Precision::float32, test_device(), 0}, problem, sharp()), DataError);
  problem.mode = GromovMode::semi_relaxed;
  EXPECT_THROW(solve_gromov(context_, problem, sharp()), DataError);
  problem.mode = GromovMode::balanced;
  problem.regularisation = Regularisation::proximal;
  EXPECT_THROW(solve_gromov(context_, problem, sharp()), DataError);
  const SquaredDistances side{{24, 3, std::span<const double>(x.points)}, 1.0};
  EXPECT_THROW(solve_gromov(context_, {side, side, x.weights, x.weights, 0.02}, sharp()), DataError);
}

TEST_F(GromovSharp, TakesAsManyPairsAsItsLinearProblemsMay) {
  EXPECT_EQ(most_pairs_of_vertex(Vector(7, 1.0 / 7), Vector(7, 1.0 / 7)), 100'000'000);
  EXPECT_EQ(most_pairs_of_vertex(Vector(7, 1.0 / 7), Vector(6, 1.0 / 6)), 25'000'000);
  const Vector a(5001, 1.0 / 5001), b(5000, 1.0 / 5000);
  EXPECT_THROW(transport_vertex(*comm_, a, b, {}), DataError);
}

}  // namespace
}  // namespace thalweg
