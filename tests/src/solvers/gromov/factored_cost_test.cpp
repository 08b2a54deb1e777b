// Factors of costs: the values of the costs that they are factors of, on any number of ranks.
#include <gtest/gtest.h>

#include "geometry/row_gram.hpp"
#include "geometry/symmetric_factor.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// A factor in memory of its own.
struct Factor {
  std::int64_t size = 0, rank = 0;
  Vector v, diagonal;
  double divisor = 1.0;

  FactoredCosts costs() const { return {{size, rank, std::span<const double>(v)}, diagonal, divisor}; }
  /// C, all of it.
  Vector multiplied() const {
    Vector c(static_cast<std::size_t>(size * size), 0.0);
    for (std::int64_t i = 0; i < size; ++i)
      for (std::int64_t j = 0; j < size; ++j)
        for (std::int64_t k = 0; k < rank; ++k)
          c[static_cast<std::size_t>(i * size + j)] += v[static_cast<std::size_t>(i * rank + k)] *
                                                       diagonal[static_cast<std::size_t>(k)] *
                                                       v[static_cast<std::size_t>(j * rank + k)] / divisor;
    return c;
  }
};

/// All eigenvectors of the distances of a side.
Factor full_factor(const ToySide& side) {
  Matrix distances(side.size, side.size);
  distances.values = side.distances(false);
  const Eigensystem system = eigensystem_of(distances);
  return {side.size, side.size, system.vectors.values, system.values, side.largest(false)};
}

/// Of squared distances, which have rank dimension + 2.
Factor squared_factor(const ToySide& side) {
  Matrix u(side.size, side.dimension + 2), v(side.size, side.dimension + 2);
  for (std::int64_t i = 0; i < side.size; ++i) {
    double square = 0.0;
    for (std::int64_t k = 0; k < side.dimension; ++k) {
      const double x = side.points[static_cast<std::size_t>(i * side.dimension + k)];
      square += x * x;
      u(i, k + 2) = -2.0 * x;
      v(i, k + 2) = x;
    }
    u(i, 0) = v(i, 1) = square;
    u(i, 1) = v(i, 0) = 1.0;
  }
  const auto self = make_self_communicator();
  SymmetricFactor factor = symmetric_factor(*self, u, v, side.size);
  return {side.size, factor.v.columns, factor.v.values, factor.diagonal, side.largest(true)};
}

class FactoredGromov : public ::testing::Test {
 protected:
  static GromovSettings tight() {
    GromovSettings settings;
    settings.epsilon_start.reset();
    settings.tolerance = 1e-12;
    settings.inner_tolerance = 1e-11;
    settings.inner_iterations = 20000;
    settings.max_outer = 5000;
    return settings;
  }
  GromovSolution solve(const IntraCosts& source, const IntraCosts& target, double epsilon) const {
    return solve_gromov(context_, {source, target, x_.weights, y_.weights, epsilon}, tight());
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, Device::cpu, 0};
  ToySide x_ = toy_source(), y_ = toy_target();
};

struct Golden {
  double epsilon, energy, primal;
};

/// Values of POT 0.9.7.
TEST_F(FactoredGromov, FullFactorsOfDistancesEndWherePotEnds) {
  const Factor a = full_factor(x_), b = full_factor(y_);
  for (const Golden golden : {Golden{0.05, 0.0895636391, 0.1030777268}, {0.01, 0.0416317364, 0.0621309649}}) {
    const GromovSolution solution = solve(a.costs(), b.costs(), golden.epsilon);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.energy, golden.energy, 1e-7);
    EXPECT_NEAR(solution.primal, golden.primal, 1e-7);
  }
}

TEST_F(FactoredGromov, FactorsOfSquaresEndWherePotEnds) {
  const Factor a = squared_factor(x_), b = squared_factor(y_);
  EXPECT_EQ(a.rank, 5);
  EXPECT_EQ(b.rank, 6);
  for (const Golden golden : {Golden{0.05, 0.0894502917, 0.1015057193}, {0.01, 0.0530084176, 0.0702873657}}) {
    const GromovSolution solution = solve(a.costs(), b.costs(), golden.epsilon);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.energy, golden.energy, 1e-7);
    EXPECT_NEAR(solution.primal, golden.primal, 1e-7);
  }
}

/// A cost between the sides from features that both share: the value of POT 0.9.7.
TEST_F(FactoredGromov, TakesSharedFeatures) {
  Vector u, v;
  for (int i = 0; i < 24; ++i) u.insert(u.end(), {std::sin(i), std::cos(i)});
  for (int j = 0; j < 20; ++j) v.insert(v.end(), {std::sin(1.1 * j), std::cos(1.1 * j)});
  const Factor a = full_factor(x_), b = full_factor(y_);
  GromovProblem problem{a.costs(), b.costs(), x_.weights, y_.weights, 0.02};
  problem.alpha = 0.5;
  problem.linear = SharedFeatures{{24, 2, std::span<const double>(u)}, {20, 2, std::span<const double>(v)}};
  problem.normalise = Normalise::none;
  const GromovSolution solution = solve_gromov(context_, problem, tight());
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.energy_gw, 0.0925948653, 1e-7);
  EXPECT_NEAR(solution.energy_linear, 0.2881262652, 1e-7);
  EXPECT_NEAR(solution.primal, 0.2363379308, 1e-7);
}

/// A factor that leaves something out has costs of its own: those of its product, stored.
TEST_F(FactoredGromov, EndsWhereItsProductEnds) {
  Factor a = full_factor(x_), b = full_factor(y_);
  a.diagonal.assign(24, 0.0);
  const Factor whole = full_factor(x_);
  for (const std::size_t k : std::vector<std::size_t>{0, 1, 22, 23}) a.diagonal[k] = whole.diagonal[k];
  for (const std::size_t k : std::vector<std::size_t>{3, 4, 5}) b.diagonal[k] = 0.0;
  const Vector c = a.multiplied(), d = b.multiplied();
  const IntraCosts stored_c = StoredIntraCosts{24, std::span<const double>(c), 1.0},
                   stored_d = StoredIntraCosts{20, std::span<const double>(d), 1.0};
  const GromovSolution narrow = solve(a.costs(), b.costs(), 0.02), wide = solve(stored_c, stored_d, 0.02);
  EXPECT_EQ(narrow.stop_reason, StopReason::converged);
  EXPECT_EQ(wide.stop_reason, StopReason::converged);
  EXPECT_NEAR(narrow.energy, wide.energy, 1e-9);
  EXPECT_NEAR(narrow.primal, wide.primal, 1e-10);
  const Vector p = narrow.geometry->coupling_rows({0, 24}, narrow.coupling.f, narrow.coupling.g),
               q = wide.geometry->coupling_rows({0, 24}, wide.coupling.f, wide.coupling.g);
  for (std::size_t at = 0; at < p.size(); ++at) EXPECT_NEAR(p[at], q[at], 1e-7);
}

TEST_F(FactoredGromov, RefusesOtherFormsBesideItAndBadNumbers) {
  const Factor a = squared_factor(x_);
  Factor b = squared_factor(y_);
  const Vector stored = y_.distances(true);
  EXPECT_THROW(solve(a.costs(), StoredIntraCosts{20, std::span<const double>(stored), 1.0}, 0.02), DataError);
  b.v[9] = std::nan("");
  EXPECT_THROW(solve(a.costs(), b.costs(), 0.02), DataError);
}

Factor waves(std::int64_t size, std::int64_t rank, double phase) {
  Factor factor{size, rank, {}, {}, 1.0};
  for (std::int64_t at = 0; at < size * rank; ++at)
    factor.v.push_back(std::sin(phase + 0.37 * static_cast<double>(at)));
  for (std::int64_t k = 0; k < rank; ++k) factor.diagonal.push_back(k % 2 == 0 ? 0.3 : -0.2);
  return factor;
}

TEST_F(FactoredGromov, HasTheBitsOfOneRank) {
  const auto world = make_world_communicator();
  const Factor a = waves(520, 5, 0.2), b = waves(300, 3, 0.9);
  for (const Precision precision : {Precision::float32, Precision::float64}) {
    GromovSettings settings;
    settings.epsilon_decay = 0.6;
    settings.inner_tolerance = precision == Precision::float32 ? 1e-5 : 1e-6;
    const GromovProblem problem{a.costs(), b.costs(), Vector(520, 1.0 / 520), Vector(300, 1.0 / 300), 0.02};
    const GromovSolution many = solve_gromov({*world, precision, Device::cpu, 0}, problem, settings),
                         one = solve_gromov({*comm_, precision, Device::cpu, 0}, problem, settings);
    EXPECT_EQ(many.stop_reason, StopReason::converged);
    EXPECT_EQ(many.energy, one.energy);
    EXPECT_EQ(many.gap, one.gap);
    EXPECT_EQ(many.outer, one.outer);
    EXPECT_EQ(many.coupling.g, one.coupling.g);
    EXPECT_EQ(world->all_gather(std::span<const double>(many.coupling.f)), one.coupling.f);
  }
}

}  // namespace
}  // namespace thalweg
