// A coupling of the first points of two sides, extended to the others.
#include "solvers/gromov/extension.hpp"

#include <gtest/gtest.h>

#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

constexpr std::int64_t solved_sources = 16, solved_targets = 14;

/// Distances of all points of a side to the first `solved` of it, over the largest.
Matrix distances_to(const ToySide& side, std::int64_t solved) {
  const Vector all = side.distances(false);
  Matrix distances(side.size, solved);
  for (std::int64_t i = 0; i < side.size; ++i)
    for (std::int64_t k = 0; k < solved; ++k)
      distances(i, k) = all[static_cast<std::size_t>(i * side.size + k)] / side.largest(false);
  return distances;
}

Vector first_rows(const Matrix& distances) {
  return {distances.values.begin(), distances.values.begin() + distances.columns * distances.columns};
}

Vector first_weights(const ToySide& side, std::int64_t solved) {
  ToySide part{solved, 0, {}, {side.weights.begin(), side.weights.begin() + solved}};
  part.normalise();
  return part.weights;
}

Matrix unit(std::int64_t size) {
  Matrix matrix(size, size);
  for (std::int64_t k = 0; k < size; ++k) matrix(k, k) = 1.0;
  return matrix;
}

class Extension : public ::testing::Test {
 protected:
  Extension() {
    source_.solved_weights = first_weights(x_, solved_sources);
    target_.solved_weights = first_weights(y_, solved_targets);
    source_.weights = x_.weights;
    target_.weights = y_.weights;
    for (std::int32_t k = 0; k < solved_sources; ++k) which_sources_.push_back(k);
    for (std::int32_t k = 0; k < solved_targets; ++k) which_targets_.push_back(k);
  }

  /// Solves the first points; M of the first source is given where there is one.
  CouplingExtension solved(bool has_linear) {
    const Vector a = first_rows(source_.distances), b = first_rows(target_.distances);
    GromovProblem problem{StoredIntraCosts{solved_sources, std::span<const double>(a), 1.0},
                          StoredIntraCosts{solved_targets, std::span<const double>(b), 1.0}, source_.solved_weights,
                          target_.solved_weights, 0.02};
    Vector linear(static_cast<std::size_t>(solved_sources * solved_targets), 0.0);
    LinearRow row{0, {}};
    for (int j = 0; j < 20; ++j) row.costs.push_back(0.1 + 0.02 * j);
    for (std::size_t j = 0; j < solved_targets; ++j) linear[j] = row.costs[j];
    if (has_linear) {
      problem.linear = StoredLinearCosts{std::span<const double>(linear)};
      problem.alpha = 0.5;
      problem.normalise = Normalise::none;
    }
    GromovSettings settings;
    settings.tolerance = 1e-12;
    settings.inner_tolerance = 1e-12;
    settings.inner_iterations = 20000;
    settings.max_outer = 3000;
    const GromovSolution solution = solve_gromov(context_, problem, settings);
    source_.potential = f_ = solution.coupling.f;
    target_.potential = g_ = solution.coupling.g;
    coupling_ = Matrix(solved_sources, solved_targets);
    coupling_.values = solution.geometry->coupling_rows({0, solved_sources}, f_, g_);
    factors_ = fused_factors(problem, solution.units);
    CouplingExtension extension(source_, target_, coupling_, factors_, 0.02);
    if (has_linear) {
      linear_ = row.costs;
      extension.set_linear({row});
    }
    extension.extend(which_sources_, which_targets_);
    return extension;
  }

  /// K of any two points by its definition.
  double cost(std::int64_t x, std::int64_t y) const {
    double quadratic = 0.0;
    for (std::int64_t i = 0; i < solved_sources; ++i)
      for (std::int64_t j = 0; j < solved_targets; ++j)
        quadratic -= 2.0 * source_.distances(x, i) * target_.distances(y, j) * coupling_(i, j);
    for (std::int64_t i = 0; i < solved_sources; ++i)
      quadratic += std::pow(source_.distances(x, i), 2) * source_.solved_weights[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < solved_targets; ++j)
      quadratic += std::pow(target_.distances(y, j), 2) * target_.solved_weights[static_cast<std::size_t>(j)];
    const double between = x == 0 && !linear_.empty() ? linear_[static_cast<std::size_t>(y)] : 0.0;
    return 2.0 * factors_.quadratic * quadratic + factors_.linear * between;
  }
  double potential_of_target(std::int64_t y) const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < solved_sources; ++i)
      sum += source_.solved_weights[static_cast<std::size_t>(i)] *
             std::exp((f_[static_cast<std::size_t>(i)] - cost(i, y)) / 0.02);
    return -0.02 * std::log(sum);
  }
  double potential_of_source(std::int64_t x) const {
    double sum = 0.0;
    for (std::int64_t j = 0; j < solved_targets; ++j)
      sum += target_.solved_weights[static_cast<std::size_t>(j)] *
             std::exp((g_[static_cast<std::size_t>(j)] - cost(x, j)) / 0.02);
    return -0.02 * std::log(sum);
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, Device::cpu, 0};
  ToySide x_ = toy_source(), y_ = toy_target();
  ExtendedSide source_{{}, {}, distances_to(toy_source(), solved_sources), {}},
      target_{{}, {}, distances_to(toy_target(), solved_targets), {}};
  std::vector<std::int32_t> which_sources_, which_targets_;
  Vector f_, g_, linear_;
  Matrix coupling_;
  FusedFactors factors_;
};

/// At solved points potentials are those of the solution, whose marginals are exact to the tolerance of the solve.
TEST_F(Extension, IsTheSolutionBetweenSolvedPoints) {
  solved(false);
  for (std::int64_t i = 0; i < solved_sources; ++i)
    EXPECT_NEAR(potential_of_source(i) - potential_of_source(0), f_[static_cast<std::size_t>(i)] - f_[0], 1e-7) << i;
  for (std::int64_t j = 0; j < solved_targets; ++j)
    EXPECT_NEAR(potential_of_target(j) - potential_of_target(0), g_[static_cast<std::size_t>(j)] - g_[0], 1e-7) << j;
}

TEST_F(Extension, SharesTheMassOfOtherPointsByItsDefinition) {
  for (const bool has_linear : {false, true}) {
    const CouplingExtension extension = solved(has_linear);
    const Partners sources = extension.partners_of_sources({0, 24}, unit(20), 3);
    for (std::int64_t x = 0; x < 24; ++x) {
      Vector shares;
      for (std::int64_t y = 0; y < 20; ++y)
        shares.push_back(target_.weights[static_cast<std::size_t>(y)] *
                         std::exp((potential_of_target(y) - cost(x, y)) / 0.02));
      const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
      double entropy = 0.0;
      for (double& share : shares) {
        share /= sum;
        entropy -= share * std::log(share);
      }
      for (std::int64_t y = 0; y < 20; ++y)
        EXPECT_NEAR(sources.means(x, y), shares[static_cast<std::size_t>(y)], 1e-10) << x << " " << y;
      const auto best = std::max_element(shares.begin(), shares.end());
      EXPECT_EQ(sources.match[static_cast<std::size_t>(x)], best - shares.begin());
      EXPECT_NEAR(sources.confidence[static_cast<std::size_t>(x)], *best, 1e-10);
      EXPECT_NEAR(sources.entropy[static_cast<std::size_t>(x)], entropy, 1e-9);
      std::sort(shares.begin(), shares.end(), std::greater<>());
      for (std::size_t k = 0; k < 3; ++k)
        EXPECT_NEAR(sources.top_shares[static_cast<std::size_t>(3 * x) + k], shares[k], 1e-10);
    }
    const Partners targets = extension.partners_of_targets({5, 20}, unit(24), 1);
    for (std::int64_t y = 5; y < 20; ++y) {
      Vector shares;
      for (std::int64_t x = 0; x < 24; ++x)
        shares.push_back(source_.weights[static_cast<std::size_t>(x)] *
                         std::exp((potential_of_source(x) - cost(x, y)) / 0.02));
      const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
      for (std::int64_t x = 0; x < 24; ++x)
        EXPECT_NEAR(targets.means(y - 5, x), shares[static_cast<std::size_t>(x)] / sum, 1e-10) << x << " " << y;
    }
  }
}

TEST_F(Extension, LeavesOutPointsWithoutWeight) {
  target_.weights[17] = 0.0;
  const Partners sources = solved(false).partners_of_sources({0, 24}, unit(20), 20);
  for (std::int64_t x = 0; x < 24; ++x) EXPECT_EQ(sources.means(x, 17), 0.0);
}

}  // namespace
}  // namespace thalweg
