#include "geometry/knn_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "golden_arrays.hpp"
#include "kernels/random.hpp"

namespace thalweg {
namespace {

using testing_support::SharedCloud;

/// Balls of very different sizes, far apart along a curve.
SharedCloud balls(std::span<const std::int64_t> sizes, std::int64_t d) {
  const RandomStream random{8, 1};
  SharedCloud cloud{0, d, {}};
  for (std::size_t ball = 0; ball < sizes.size(); ++ball)
    for (std::int64_t i = 0; i < sizes[ball]; ++i, ++cloud.num_points)
      for (std::int64_t j = 0; j < d; ++j)
        cloud.values.push_back(static_cast<float>(20.0 * std::pow(1.3 * static_cast<double>(ball), j % 2 ? 1.0 : 1.5) +
                                                  random.normal(static_cast<std::uint64_t>(cloud.num_points * d + j))));
  return cloud;
}

std::vector<Edge> expected_bridges(const SharedCloud& cloud, const Components& components) {
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < cloud.num_points; ++i)
    for (std::int64_t j = i + 1; j < cloud.num_points; ++j) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < cloud.dimension; ++k) {
        const double difference = static_cast<double>(cloud.values[static_cast<std::size_t>(i * cloud.dimension + k)]) -
                                  static_cast<double>(cloud.values[static_cast<std::size_t>(j * cloud.dimension + k)]);
        sum += difference * difference;
      }
      edges.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), std::sqrt(sum)});
    }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.distance < b.distance; });
  std::vector<std::int32_t> label = components.label;
  std::erase_if(edges, [&](const Edge& edge) {
    const std::int32_t a = label[static_cast<std::size_t>(edge.from)], b = label[static_cast<std::size_t>(edge.to)];
    if (a == b) return true;
    std::replace(label.begin(), label.end(), b, a);
    return false;
  });
  return edges;
}

KnnGraph graph_on(const Communicator& comm, const SharedCloud& cloud, std::int64_t k, EdgeWeight weight,
                  Disconnected disconnected) {
  const auto search = make_neighbour_search({comm}, cloud.owned(comm), Metric::euclidean);
  return make_knn_graph(comm, *search, k, weight, disconnected);
}

TEST(KnnGraph, JoinsCellsOfWhichEitherListsTheOther) {
  const auto self = make_self_communicator();
  // 0 and 1 list each other, 2 lists 1, 3 lists 2.
  const SharedCloud line{4, 1, {0, 1, 2.5, 5}};
  const Graph graph = graph_on(*self, line, 2, EdgeWeight::distance, Disconnected::error).graph;
  EXPECT_EQ(graph.offsets, (std::vector<std::int64_t>{0, 1, 3, 5, 6}));
  EXPECT_EQ(graph.columns, (std::vector<std::int32_t>{1, 0, 2, 1, 3, 2}));
  EXPECT_EQ(graph.weights, (std::vector<double>{1, 1, 1.5, 1.5, 2.5, 2.5}));
  EXPECT_TRUE(graph_on(*self, line, 2, EdgeWeight::hops, Disconnected::error).graph.weights.empty());
}

TEST(KnnGraph, NumbersComponentsByTheirSmallestNode) {
  const Graph graph = graph_of_edges(7, {{4, 6, 1}, {1, 2, 1}, {0, 6, 1}, {2, 1, 1}}, EdgeWeight::hops);
  EXPECT_EQ(graph.columns, (std::vector<std::int32_t>{6, 2, 1, 6, 0, 4}));
  const Components components = components_of(graph);
  EXPECT_EQ(components.label, (std::vector<std::int32_t>{0, 1, 1, 2, 0, 3, 0}));
  EXPECT_EQ(components.sizes, (std::vector<std::int64_t>{3, 2, 1, 1}));
}

TEST(KnnGraph, FindsTheComponentsThatScipyFinds) {
  const auto world = make_world_communicator();
  const auto golden = testing_support::read_golden_arrays("geodesics.txt");
  for (const std::string name : {"roll", "apart"}) {
    const auto k = static_cast<std::int64_t>(golden.at(name + "_k").values[0]);
    const KnnGraph graph =
        graph_on(*world, SharedCloud::of(golden.at(name + "_points")), k, EdgeWeight::hops, Disconnected::max);
    EXPECT_EQ(static_cast<double>(graph.components.sizes.size()), golden.at(name + "_components").values[0]);
    EXPECT_TRUE(graph.bridges.empty());
  }
}

TEST(KnnGraph, BridgesComponentsByTheirMinimumSpanningTree) {
  const auto world = make_world_communicator();
  const std::vector<std::int64_t> several[] = {{30, 12}, {9, 40, 8, 15, 10, 60, 7}, {20, 20, 20, 20}};
  for (const auto& sizes : several)
    for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance}) {
      const SharedCloud cloud = balls(sizes, 2);
      KnnGraph graph = graph_on(*world, cloud, 5, weight, Disconnected::bridge);
      ASSERT_GE(graph.components.sizes.size(), sizes.size());
      const auto expected = expected_bridges(cloud, graph.components);
      std::sort(graph.bridges.begin(), graph.bridges.end(),
                [](const Edge& a, const Edge& b) { return a.distance < b.distance; });
      ASSERT_EQ(graph.bridges.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(graph.bridges[i].from, expected[i].from);
        EXPECT_EQ(graph.bridges[i].to, expected[i].to);
        EXPECT_NEAR(graph.bridges[i].distance, expected[i].distance, 1e-12 * expected[i].distance);
      }
      EXPECT_EQ(components_of(graph.graph).sizes.size(), 1u);
    }
}

TEST(KnnGraph, BridgesEquallyDistantComponentsWithoutCycles) {
  const auto world = make_world_communicator();
  // A 4 x 4 lattice of pairs: all gaps along both axes are equal.
  SharedCloud cloud{32, 2, {}};
  for (int i = 0; i < 32; ++i)
    cloud.values.insert(cloud.values.end(), {static_cast<float>(10 * (i % 4)), static_cast<float>(10 * (i / 4 % 4))});
  const KnnGraph graph = graph_on(*world, cloud, 2, EdgeWeight::distance, Disconnected::bridge);
  EXPECT_EQ(graph.components.sizes, std::vector<std::int64_t>(16, 2));
  ASSERT_EQ(graph.bridges.size(), 15u);
  for (const Edge& edge : graph.bridges) EXPECT_EQ(edge.distance, 10.0);
  EXPECT_EQ(components_of(graph.graph).sizes.size(), 1u);
}

TEST(KnnGraph, OfSeveralComponentsIsAnErrorIfSoWished) {
  const auto world = make_world_communicator();
  const std::vector<std::int64_t> sizes = {9, 30, 12};
  try {
    graph_on(*world, balls(sizes, 3), 6, EdgeWeight::hops, Disconnected::error);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(
        error.what(),
        testing::HasSubstr("3 components of 30, 12, 9 cells in the graph of 6 neighbours of obsm/X_pca of cloud.h5ad"));
  }
}

TEST(KnnGraph, IsTheSameOnAnyNumberOfRanks) {
  const auto world = make_world_communicator(), self = make_self_communicator();
  const std::vector<std::int64_t> sizes = {25, 9, 100, 14};
  const KnnGraph a = graph_on(*world, balls(sizes, 5), 8, EdgeWeight::distance, Disconnected::bridge);
  const KnnGraph b = graph_on(*self, balls(sizes, 5), 8, EdgeWeight::distance, Disconnected::bridge);
  EXPECT_EQ(a.graph.columns, b.graph.columns);
  EXPECT_EQ(a.graph.weights, b.graph.weights);
  EXPECT_EQ(a.bridges, b.bridges);
}

}  // namespace
}  // namespace thalweg
