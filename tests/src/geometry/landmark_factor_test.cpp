#include "geometry/landmark_factor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "geometry/row_gram.hpp"
#include "kernels/random.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

/// Cells on a closed strip, joined to those near them.
Graph strip(std::int32_t n, EdgeWeight weight) {
  const RandomStream random{2, 1};
  std::vector<Edge> edges;
  for (std::int32_t i = 0; i < n; ++i)
    for (std::int32_t step = 1; step <= 12; ++step)
      edges.push_back({std::min(i, (i + step) % n), std::max(i, (i + step) % n),
                       static_cast<double>(step) + 0.3 * random.uniform(static_cast<std::uint64_t>(i * 12 + step))});
  return graph_of_edges(n, edges, weight);
}

struct Factor : testing::Test {
  std::unique_ptr<Communicator> world = make_world_communicator(), self = make_self_communicator();
  Context on_world{*world, Precision::float32, test_device(), 3}, alone{*self, Precision::float32, test_device(), 3};
};

/// |D - U V^T| / |D| over all cells, from a factor of one rank.
double true_error(const Context& alone, const Graph& graph, const LandmarkFactor& factor) {
  std::vector<std::int32_t> nodes(static_cast<std::size_t>(graph.num_nodes));
  std::iota(nodes.begin(), nodes.end(), 0);
  const Matrix distances = distances_between(alone, graph, nodes, Disconnected::max);
  const Matrix approximation = product(factor.u, transpose(factor.v));
  double errors = 0.0, squares = 0.0;
  for (std::size_t at = 0; at < distances.values.size(); ++at) {
    errors += std::pow(distances.values[at] - approximation.values[at], 2);
    squares += std::pow(distances.values[at], 2);
  }
  return std::sqrt(errors / squares);
}

TEST_F(Factor, ReportsAnErrorWithinFourStandardErrorsOfTheTrueOne) {
  for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance})
    for (const std::int64_t landmarks : {20, 60}) {
      const Graph graph = strip(1500, weight);
      const LandmarkFactor factor =
          landmark_factor(alone, graph, {landmarks, 16, LandmarkChoice::uniform, Disconnected::error});
      const double expected = true_error(alone, graph, factor);
      EXPECT_EQ(factor.num_checked, 256);
      EXPECT_EQ(factor.num_fitted, 5 * landmarks);
      EXPECT_GT(factor.error_deviation, 0.0);
      EXPECT_LT(factor.error_deviation, 0.4 * factor.error);
      EXPECT_NEAR(factor.error, expected, 4.0 * factor.error_deviation) << expected;
      EXPECT_LT(expected, 0.03);
    }
}

TEST_F(Factor, IsExactForDistancesOfLowRank) {
  // A star with arms of one edge: D = 2 (1 1^T - I) but for the hub and twins; arms of equal weight classes.
  std::vector<Edge> edges;
  for (std::int32_t i = 1; i < 700; ++i) edges.push_back({0, i, i % 2 ? 1.0 : 0.0});
  const Graph graph = graph_of_edges(700, edges, EdgeWeight::distance);
  // All cells at distance 0 of the hub are twins, so with those alone D would have rank 2.
  const LandmarkFactor factor = landmark_factor(alone, graph_of_edges(700, edges, EdgeWeight::hops), {30, 8});
  EXPECT_LT(factor.error, 0.1);
  EXPECT_EQ(factor.u.columns, 8);
  std::vector<Edge> twins;
  for (std::int32_t i = 2; i < 700; ++i) twins.push_back({i % 2, i, 0.0});
  twins.push_back({0, 1, 3.0});
  const LandmarkFactor exact = landmark_factor(alone, graph_of_edges(700, twins, EdgeWeight::distance), {30, 8});
  EXPECT_LT(exact.error, 1e-12);
  EXPECT_EQ(exact.u.columns, 2);
}

TEST_F(Factor, HasTheSameBitsOnAnyNumberOfRanks) {
  for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance})
    for (const LandmarkChoice choice : {LandmarkChoice::uniform, LandmarkChoice::farthest}) {
      const Graph graph = strip(1100, weight);
      const LandmarkFactorOptions options{40, 12, choice, Disconnected::error};
      const LandmarkFactor whole = landmark_factor(alone, graph, options),
                           part = landmark_factor(on_world, graph, options);
      EXPECT_EQ(part.error, whole.error);
      EXPECT_EQ(part.error_deviation, whole.error_deviation);
      EXPECT_EQ(part.eigenvalues, whole.eigenvalues);
      ASSERT_EQ(part.u.rows, part.rows.size());
      for (std::int64_t i = 0; i < part.u.rows; ++i)
        for (std::int64_t k = 0; k < part.u.columns; ++k) {
          ASSERT_EQ(part.u(i, k), whole.u(part.rows.begin + i, k));
          ASSERT_EQ(part.v(i, k), whole.v(part.rows.begin + i, k));
        }
    }
}

TEST_F(Factor, OfFewCellsUsesThemAll) {
  for (const std::int32_t n : {2, 3, 14, 40}) {
    std::vector<Edge> edges;
    for (std::int32_t i = 0; i + 1 < n; ++i) edges.push_back({i, i + 1, 1.0});
    const Graph graph = graph_of_edges(n, edges, EdgeWeight::hops);
    const LandmarkFactor factor =
        landmark_factor(on_world, graph, {200, 64, LandmarkChoice::uniform, Disconnected::error});
    EXPECT_EQ(factor.num_checked, 0);
    EXPECT_TRUE(std::isnan(factor.error));
    if (world->size() == 1) {
      EXPECT_LT(true_error(alone, graph, factor), 1e-3) << n;
    }
  }
}

TEST_F(Factor, OfEqualPointsIsRefused) {
  const Graph graph = graph_of_edges(3, {{0, 1, 0.0}, {1, 2, 0.0}}, EdgeWeight::distance);
  EXPECT_THROW(landmark_factor(on_world, graph, {}), DataError);
}

TEST_F(Factor, OfSeveralComponentsNeedsAMode) {
  const Graph ring = strip(300, EdgeWeight::hops);
  std::vector<Edge> edges;
  for (std::int32_t i = 0; i < 300; ++i)
    for (const std::int32_t j : ring.neighbours_of(i)) edges.push_back({i, j, 1.0});
  for (std::size_t at = 0, size = edges.size(); at < 2 * size; ++at)
    edges.push_back({edges[at].from + 300, edges[at].to + 300, 1.0});
  const Graph graph = graph_of_edges(900, edges, EdgeWeight::hops);
  EXPECT_THROW(landmark_factor(on_world, graph, {60, 40}), DataError);
  EXPECT_LT(landmark_factor(on_world, graph, {60, 40, LandmarkChoice::uniform, Disconnected::max}).error, 0.15);
}

TEST(RowGram, BasisIsOrthonormalAndSpansTheColumns) {
  const auto world = make_world_communicator();
  const RandomStream random{6, 1};
  const RowRange rows = Partition(900, world->size(), 256).rows_of(world->rank());
  Matrix a(rows.size(), 6);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    for (std::int64_t k = 0; k < 6; ++k) {
      const auto at = static_cast<std::uint64_t>((rows.begin + i) * 6 + k);
      a(i, k) = k < 4 ? std::pow(10.0, -static_cast<double>(k)) * random.normal(at) : 2.0 * a(i, k - 4) - a(i, k - 3);
    }
  const Matrix basis = orthonormal_basis(*world, a, 900);
  ASSERT_EQ(basis.columns, 4);
  const Matrix gram = gram_of_rows(*world, basis, 900);
  for (std::int64_t j = 0; j < 4; ++j)
    for (std::int64_t k = 0; k < 4; ++k) EXPECT_NEAR(gram(j, k), j == k ? 1.0 : 0.0, 1e-13);
  Matrix both(rows.size(), 10);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    for (std::int64_t k = 0; k < 10; ++k) both(i, k) = k < 4 ? basis(i, k) : a(i, k - 4);
  const Matrix products = gram_of_rows(*world, both, 900);
  for (std::int64_t k = 4; k < 10; ++k) {
    double inside = 0.0;
    for (std::int64_t j = 0; j < 4; ++j) inside += products(j, k) * products(j, k);
    EXPECT_NEAR(inside, products(k, k), 1e-10 * products(k, k)) << k;
  }
}

TEST(RowGram, PseudoInverseDropsSmallSingularValues) {
  Matrix a(3, 2);
  a.values = {3.0, 0.0, 0.0, 1e-4, 0.0, 0.0};
  const Matrix kept = pseudo_inverse(a, 1e-5), cut = pseudo_inverse(a, 1e-3);
  EXPECT_NEAR(kept(0, 0), 1.0 / 3.0, 1e-15);
  EXPECT_NEAR(kept(1, 1), 1e4, 1e-8);
  EXPECT_NEAR(cut(0, 0), 1.0 / 3.0, 1e-15);
  EXPECT_EQ(cut(1, 1), 0.0);
}

}  // namespace
}  // namespace thalweg
