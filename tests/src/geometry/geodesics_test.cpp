#include "geometry/geodesics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <set>

#include "golden_arrays.hpp"
#include "kernels/random.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::SharedCloud;
constexpr double infinite = std::numeric_limits<double>::infinity();

std::vector<std::int32_t> all_nodes(std::int64_t n) {
  std::vector<std::int32_t> nodes(static_cast<std::size_t>(n));
  std::iota(nodes.begin(), nodes.end(), 0);
  return nodes;
}

Graph path(std::int32_t n, EdgeWeight weight = EdgeWeight::hops) {
  std::vector<Edge> edges;
  for (std::int32_t i = 0; i + 1 < n; ++i) edges.push_back({i, i + 1, 0.1});
  return graph_of_edges(n, edges, weight);
}

Graph random_graph(std::int32_t n, std::int32_t num_edges, EdgeWeight weight, bool is_integer) {
  const RandomStream random{4, 1};
  std::vector<Edge> edges;
  for (std::int32_t e = 0; e < num_edges; ++e) {
    const auto at = static_cast<std::uint64_t>(e), size = static_cast<std::uint64_t>(n);
    const auto i = static_cast<std::int32_t>(random.bits(at) % size),
               j = static_cast<std::int32_t>(random.bits(at, 1) % size);
    if (i != j)
      edges.push_back({std::min(i, j), std::max(i, j),
                       is_integer ? static_cast<double>(random.bits(at, 2) % 3) : random.uniform(at, 2)});
  }
  return graph_of_edges(n, edges, weight);
}

/// All pairs by relaxing every edge until nothing changes.
Matrix relaxed_distances(const Graph& graph) {
  Matrix result(graph.num_nodes, graph.num_nodes, infinite);
  for (std::int64_t source = 0; source < graph.num_nodes; ++source) {
    result(source, source) = 0.0;
    for (bool changes = true; changes;) {
      changes = false;
      for (std::int64_t node = 0; node < graph.num_nodes; ++node)
        for (auto at = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(node)]);
             at < static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(node) + 1]); ++at) {
          const double next = result(source, node) + (graph.weights.empty() ? 1.0 : graph.weights[at]);
          if (next >= result(source, graph.columns[at])) continue;
          result(source, graph.columns[at]) = next;
          changes = true;
        }
    }
  }
  return result;
}

struct Geodesics : testing::Test {
  std::unique_ptr<Communicator> world = make_world_communicator(), self = make_self_communicator();
  Context on_world{*world, Precision::float64, test_device(), 3}, alone{*self, Precision::float64, test_device(), 3};
};

TEST_F(Geodesics, EqualScipyOnNeighbourGraphs) {
  const auto golden = testing_support::read_golden_arrays("geodesics.txt");
  const std::pair<std::string, Metric> cases[] = {{"roll", Metric::euclidean},
                                                  {"apart", Metric::euclidean},
                                                  {"angles", Metric::cosine},
                                                  {"profiles", Metric::correlation}};
  const std::vector<std::int32_t> sources = {0, 7, 123, 299};
  for (const auto& [name, metric] : cases)
    for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance}) {
      SCOPED_TRACE(name);
      const SharedCloud cloud = SharedCloud::of(golden.at(name + "_points"));
      const auto search = make_neighbour_search(on_world, cloud.owned(*world), metric);
      const auto k = static_cast<std::int64_t>(golden.at(name + "_k").values[0]);
      const Graph graph = make_knn_graph(*world, *search, k, weight, Disconnected::infinite).graph;
      const GeodesicRows rows = geodesic_rows(on_world, graph, sources, Disconnected::infinite);
      const Matrix& expected = golden.at(name + (weight == EdgeWeight::hops ? "_hops" : "_lengths"));
      for (std::int64_t s = 0; s < 4; ++s)
        for (std::int64_t i = 0; i < 300; ++i) {
          if (std::isinf(expected(s, i))) ASSERT_EQ(rows(s, i), infinite);
          else ASSERT_NEAR(rows(s, i), expected(s, i), 1e-12 * (1.0 + expected(s, i)));
        }
    }
}

TEST_F(Geodesics, EqualRepeatedRelaxationToTheLastBit) {
  for (const bool is_integer : {false, true})
    for (const std::int32_t num_edges : {40, 150, 900}) {
      const Graph graph = random_graph(90, num_edges, EdgeWeight::distance, is_integer);
      const GeodesicRows rows = geodesic_rows(alone, graph, all_nodes(90), Disconnected::infinite);
      const Matrix expected = relaxed_distances(graph);
      EXPECT_EQ(std::get<std::vector<double>>(rows.values), expected.values);
    }
}

TEST_F(Geodesics, CountHopsInBytesUpTo255) {
  const GeodesicRows bytes = geodesic_rows(on_world, path(256), all_nodes(256), Disconnected::error);
  ASSERT_TRUE(std::holds_alternative<std::vector<std::uint8_t>>(bytes.values));
  EXPECT_EQ(bytes(0, 255), 255.0);
  EXPECT_EQ(bytes(200, 3), 197.0);
  EXPECT_EQ(bytes.largest, 255.0);
  const GeodesicRows floats = geodesic_rows(on_world, path(257), all_nodes(257), Disconnected::error);
  ASSERT_TRUE(std::holds_alternative<std::vector<float>>(floats.values));
  EXPECT_EQ(floats(256, 0), 256.0);
}

TEST_F(Geodesics, WalkALongPath) {
  const std::vector<std::int32_t> sources = {0, 5000};
  const GeodesicRows hops = geodesic_rows(on_world, path(10000), sources, Disconnected::error);
  EXPECT_EQ(hops(0, 9999), 9999.0);
  EXPECT_EQ(hops(1, 0), 5000.0);
  const GeodesicRows lengths = geodesic_rows(on_world, path(10000, EdgeWeight::distance), sources, Disconnected::error);
  double sum = 0.0;
  for (int i = 0; i < 9999; ++i) sum += 0.1;
  EXPECT_EQ(lengths(0, 9999), sum);
}

TEST_F(Geodesics, OnAGridAreCityBlockDistances) {
  std::vector<Edge> edges;
  for (std::int32_t y = 0; y < 20; ++y)
    for (std::int32_t x = 0; x < 20; ++x) {
      if (x < 19) edges.push_back({20 * y + x, 20 * y + x + 1, 0.5});
      if (y < 19) edges.push_back({20 * y + x, 20 * y + x + 20, 0.5});
    }
  for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance}) {
    const GeodesicRows rows =
        geodesic_rows(alone, graph_of_edges(400, edges, weight), all_nodes(400), Disconnected::error);
    for (std::int64_t i = 0; i < 400; ++i)
      for (std::int64_t j = 0; j < 400; ++j)
        ASSERT_EQ(rows(i, j), static_cast<double>(std::abs(i % 20 - j % 20) + std::abs(i / 20 - j / 20)) *
                                  (weight == EdgeWeight::hops ? 1.0 : 0.5));
  }
}

TEST_F(Geodesics, OfUnreachedNodesFollowTheMode) {
  // Two paths of 3 and 5 nodes; the largest finite distance is 4.
  std::vector<Edge> edges = {{0, 1, 1}, {1, 2, 1}, {3, 4, 1}, {4, 5, 1}, {5, 6, 1}, {6, 7, 1}};
  for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance}) {
    const Graph graph = graph_of_edges(8, edges, weight);
    // Each rank asks for one source of the short path, rank 0 for one of the long one too.
    const std::vector<std::int32_t> sources =
        world->is_root() ? std::vector<std::int32_t>{3, 0} : std::vector<std::int32_t>{1};
    const GeodesicRows most = geodesic_rows(on_world, graph, sources, Disconnected::max);
    EXPECT_EQ(std::holds_alternative<std::vector<std::uint8_t>>(most.values), weight == EdgeWeight::hops);
    EXPECT_EQ(most.largest, 4.0);
    EXPECT_EQ(most(0, world->is_root() ? 1 : 7), 4.0);
    const GeodesicRows kept = geodesic_rows(on_world, graph, sources, Disconnected::infinite);
    EXPECT_EQ(kept(0, world->is_root() ? 1 : 7), infinite);
    EXPECT_EQ(kept.largest, 4.0);
    for (const Disconnected mode : {Disconnected::error, Disconnected::bridge})
      EXPECT_THROW(geodesic_rows(on_world, graph, sources, mode), DataError);
    EXPECT_EQ(distances_between(on_world, graph, std::vector<std::int32_t>{0, 3, 7}, Disconnected::max).values,
              (std::vector<double>{0, 4, 4, 4, 0, 4, 4, 4, 0}));
  }
}

TEST_F(Geodesics, OfUnreachedNodesDoNotFitBytesNextTo255Hops) {
  std::vector<Edge> edges;
  for (std::int32_t i = 0; i < 255; ++i) edges.push_back({i, i + 1, 1});
  const GeodesicRows rows =
      geodesic_rows(alone, graph_of_edges(257, edges, EdgeWeight::hops), all_nodes(257), Disconnected::max);
  EXPECT_TRUE(std::holds_alternative<std::vector<float>>(rows.values));
  EXPECT_EQ(rows(0, 255), 255.0);
  EXPECT_EQ(rows(256, 0), 255.0);
  EXPECT_EQ(rows(256, 256), 0.0);
}

TEST_F(Geodesics, ToTargetsArePartsOfTheRowsOnAnyNumberOfRanks) {
  const Graph graph = random_graph(200, 900, EdgeWeight::distance, false);
  const Matrix expected = relaxed_distances(graph);
  const std::vector<std::int32_t> targets = {17, 3, 199, 50, 51};
  const RowRange rows = Partition(200, world->size()).rows_of(world->rank());
  const Matrix columns = distances_to(on_world, graph, rows, targets, Disconnected::max);
  ASSERT_EQ(columns.rows, rows.size());
  for (std::int64_t i = 0; i < rows.size(); ++i)
    for (std::int64_t k = 0; k < 5; ++k)
      ASSERT_EQ(columns(i, k), expected(targets[static_cast<std::size_t>(k)], rows.begin + i));
  const Matrix between = distances_between(on_world, graph, targets, Disconnected::max);
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t k = 0; k < 5; ++k)
      ASSERT_EQ(between(i, k), expected(targets[static_cast<std::size_t>(i)], targets[static_cast<std::size_t>(k)]));
}

TEST_F(Geodesics, FarthestLandmarksMatchAPlainLoop) {
  for (const EdgeWeight weight : {EdgeWeight::hops, EdgeWeight::distance}) {
    const Graph graph = random_graph(150, 400, weight, false);
    const Matrix distances = relaxed_distances(graph);
    std::vector<std::int32_t> expected = {random_cells(150, 1, 9, landmark_stream)[0]};
    while (expected.size() < 150) {
      std::int32_t best = -1;
      double farthest = -1.0;
      for (std::int32_t i = 0; i < 150; ++i) {
        if (std::count(expected.begin(), expected.end(), i)) continue;
        double nearest = infinite;
        for (const std::int32_t chosen : expected) nearest = std::min(nearest, distances(chosen, i));
        if (nearest > farthest) {
          farthest = nearest;
          best = i;
        }
      }
      expected.push_back(best);
    }
    EXPECT_EQ(choose_landmarks(graph, LandmarkChoice::farthest, 150, 9), expected);
    EXPECT_EQ(choose_landmarks(graph, LandmarkChoice::farthest, 7, 9),
              (std::vector<std::int32_t>(expected.begin(), expected.begin() + 7)));
  }
}

TEST_F(Geodesics, RandomCellsDifferAndGrowInOrder) {
  const auto few = random_cells(500, 20, 1, 2), many = random_cells(500, 500, 1, 2);
  EXPECT_EQ(std::set<std::int32_t>(many.begin(), many.end()).size(), 500u);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
  EXPECT_NE(few, random_cells(500, 20, 2, 2));
  EXPECT_TRUE(random_cells(5, 0, 1, 2).empty());
  EXPECT_EQ(choose_landmarks(path(4), LandmarkChoice::uniform, 9, 1).size(), 4u);
}

}  // namespace
}  // namespace thalweg
