#include "solvers/column_duals.hpp"

#include <gtest/gtest.h>

#include "clouds.hpp"
#include "exact/transport.hpp"
#include "tests/reference/lowrank_reference.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;

/// One block problem: rows, a linear cost to r centres, type masses.
struct Block {
  Alone alone;
  Cloud cloud;
  RowMoments moments;
  std::unique_ptr<RowPass> rows;
  Matrix centroids;
  std::vector<double> masses;

  Block(std::int64_t n, std::int64_t r, Precision precision, bool is_weighted = false)
      : cloud(testing_support::gaussian_cloud(n, 5, r, 4.0, 0.0, 11)), centroids(5, r) {
    if (is_weighted) cloud.weights = testing_support::uneven_weights(n);
    const std::vector<double> origin(5, 0.0);
    moments = row_moments(*alone.comm, cloud.block(*alone.comm), origin);
    rows = make_row_pass(alone.context(precision), cloud.block(*alone.comm), origin, moments);
    for (std::int64_t k = 0; k < r; ++k) {
      masses.push_back(1.0 + static_cast<double>(k % 3));
      for (std::int64_t j = 0; j < 5; ++j) centroids(j, k) = cloud(k * (n / r), j);
    }
    const double sum = testing_support::sum_of(masses);
    for (double& mass : masses) mass /= sum;
  }

  double epsilon(double relative) const {
    double square = 0.0;
    for (const double value : moments.mean) square += value * value;
    return relative * (moments.second_moment - square);
  }
  Matrix logits(double relative) const {
    Matrix result = centroids;
    for (double& value : result.values) value *= 2.0 / epsilon(relative);
    return result;
  }
  std::optional<DualSolution> solve(double relative, std::span<const double> start = {}, const DualOptions& options = exactly()) const {
    return solve_column_duals(*rows, logits(relative), masses, start, centroids, options);
  }
  static DualOptions exactly() { return {1e-10, 1e-15, 60}; }
  static DualOptions in_float() { return {1e-6, 1e-7, 60}; }

  /// v += log g - log s until |g - s|_1 <= 1e-12.
  std::vector<double> sinkhorn(double relative) const {
    const std::vector<double> origin(5, 0.0), a = cloud.normalised_weights(), x = cloud.centred(origin);
    const Matrix columns = logits(relative);
    std::vector<double> v(masses.size(), 0.0);
    for (std::size_t k = 0; k < v.size(); ++k)  // only a faster start
      for (std::int64_t j = 0; j < 5; ++j) v[k] -= 0.5 * columns(j, static_cast<std::int64_t>(k)) * centroids(j, static_cast<std::int64_t>(k));
    for (int step = 0; step < 100000; ++step) {
      const std::vector<double> s = reference::lowrank_pass(x, 5, a, columns, v).masses;
      double error = 0.0;
      for (std::size_t k = 0; k < v.size(); ++k) {
        error += std::abs(masses[k] - s[k]);
        v[k] += std::log(masses[k]) - std::log(s[k]);
      }
      if (error <= 1e-12) return v;
    }
    throw std::runtime_error("Sinkhorn did not converge");
  }
};

double mass_error(const Block& block, const DualSolution& solution) {
  double error = 0.0;
  for (std::size_t k = 0; k < block.masses.size(); ++k) error += std::abs(block.masses[k] - solution.sums.masses[k]);
  return error;
}

/// Largest difference of two dual vectors up to a constant.
double difference(std::vector<double> a, std::vector<double> b) {
  const double n = static_cast<double>(a.size()), mean_a = testing_support::sum_of(a) / n, mean_b = testing_support::sum_of(b) / n;
  for (double& value : a) value -= mean_a;
  for (double& value : b) value -= mean_b;
  return testing_support::largest_difference(a, b);
}

TEST(ColumnDuals, EqualThoseOfSinkhorn) {
  for (const bool is_weighted : {false, true}) {
    const Block block(500, 6, Precision::float64, is_weighted);
    const auto solution = block.solve(1e-2);
    ASSERT_TRUE(solution);
    EXPECT_LE(difference(solution->duals, block.sinkhorn(1e-2)), 1e-7);
    EXPECT_LE(mass_error(block, *solution), 1e-10);
    EXPECT_LE(solution->passes, 25);
    EXPECT_FALSE(solution->used_continuation);
  }
}

TEST(ColumnDuals, InFloatEqualThoseOfSinkhornToItsRounding) {
  const Block block(500, 6, Precision::float32);
  const auto solution = block.solve(1e-2, {}, Block::in_float());
  ASSERT_TRUE(solution);
  EXPECT_LE(mass_error(block, *solution), 1e-6);
  EXPECT_LE(difference(solution->duals, block.sinkhorn(1e-2)), 1e-4);
  EXPECT_LE(solution->passes, 25);
}

TEST(ColumnDuals, ConvergeFromAColdStartAtSmallEpsilon) {
  for (const std::int64_t n : {300, 1000})
    for (const bool is_double : {false, true}) {
      const Block block(n, 12, is_double ? Precision::float64 : Precision::float32);
      const DualOptions options = is_double ? Block::exactly() : Block::in_float();
      const auto solution = block.solve(1e-4, {}, options);
      ASSERT_TRUE(solution);
      EXPECT_LE(mass_error(block, *solution), options.tolerance);
    }
}

TEST(ColumnDuals, ComeWithTheFeatureSumsAtTheSolution) {
  const Block block(500, 6, Precision::float64);
  const auto solution = block.solve(1e-2);
  ASSERT_TRUE(solution);
  const PassSums sums = block.rows->sums(block.logits(1e-2), solution->duals, {true, false});
  EXPECT_EQ(solution->sums.features, sums.features);
  EXPECT_EQ(solution->sums.masses, sums.masses);
  EXPECT_EQ(solution->sums.entropy, sums.entropy);
}

TEST(ColumnDuals, OfASolvedBlockNeedTwoPasses) {
  const Block block(500, 6, Precision::float64);
  const auto solution = block.solve(1e-2), again = block.solve(1e-2, solution->duals);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->duals, solution->duals);
  EXPECT_LE(again->passes, 2);
}

TEST(ColumnDuals, ConvergeFromAFarStart) {
  const Block block(500, 6, Precision::float64);
  const auto solution = block.solve(1e-2, std::vector<double>{300, 0, -300, 0, 50, 0});
  ASSERT_TRUE(solution);
  EXPECT_LE(difference(solution->duals, block.solve(1e-2)->duals), 1e-6);
}

TEST(ColumnDuals, AtTinyEpsilonGiveTheExactTransportCost) {
  const Block block(200, 5, Precision::float64, true);
  std::optional<DualSolution> solution;
  double previous = 0.0;
  for (const double relative : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
    std::vector<double> start;
    if (solution) start = solution->duals;
    for (double& value : start) value *= previous / relative;
    solution = block.solve(relative, start);
    ASSERT_TRUE(solution) << relative;
    previous = relative;
  }
  Matrix cost(200, 5);
  for (std::int64_t i = 0; i < 200; ++i)
    for (std::int64_t k = 0; k < 5; ++k)
      for (std::int64_t j = 0; j < 5; ++j) cost(i, k) -= 2.0 * block.cloud(i, j) * block.centroids(j, k);
  const double exact = solve_transport(block.cloud.normalised_weights(), block.masses, cost).cost;
  double found = 0.0;
  for (std::size_t i = 0; i < block.centroids.values.size(); ++i) found -= 2.0 * block.centroids.values[i] * solution->sums.features.values[i];
  EXPECT_GE(found, exact - 1e-9 * std::abs(exact));
  EXPECT_LE(found, exact + block.epsilon(1e-6) * std::log(5.0));  // the entropy is at most log r
}

TEST(ColumnDuals, OfOneTypeAreImmediate) {
  const Block block(300, 1, Precision::float64);
  const auto solution = block.solve(1e-3);
  ASSERT_TRUE(solution);
  EXPECT_NEAR(solution->sums.masses[0], 1.0, 1e-14);
  EXPECT_LE(solution->passes, 2);
}

TEST(ColumnDuals, AreNeverReturnedUnconverged) {
  const Block block(500, 6, Precision::float64);
  EXPECT_FALSE(block.solve(1e-2, {}, {1e-10, 1e-15, 2}));
}

}  // namespace
}  // namespace thalweg
