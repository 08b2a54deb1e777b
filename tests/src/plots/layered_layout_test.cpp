#include "io/plots/layered_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/random.hpp"

namespace thalweg {
namespace {

LayeredGraph random_graph(std::vector<int> sizes, int links, std::uint64_t seed) {
  const RandomStream random{seed, 5};
  LayeredGraph graph{std::move(sizes), {}};
  const auto transitions = static_cast<std::uint64_t>(graph.layer_sizes.size()) - 1;
  for (std::uint64_t k = 0; k < static_cast<std::uint64_t>(links); ++k) {
    const auto layer = static_cast<int>(random.bits(k, 0) % transitions);
    const auto pick = [&](int at, std::uint32_t draw) {
      return static_cast<int>(random.bits(k, draw) %
                              static_cast<std::uint64_t>(graph.layer_sizes[static_cast<std::size_t>(at)]));
    };
    graph.links.push_back({layer, pick(layer, 1), pick(layer + 1, 2), random.uniform(k, 3)});
  }
  return graph;
}

std::int64_t plain_crossings(const LayeredGraph& graph, const LayerOrders& orders) {
  const auto at = [&](int layer, int node) {
    const auto& order = orders[static_cast<std::size_t>(layer)];
    return std::find(order.begin(), order.end(), node) - order.begin();
  };
  std::int64_t count = 0;
  for (std::size_t a = 0; a < graph.links.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const auto &x = graph.links[a], &y = graph.links[b];
      if (x.layer != y.layer) continue;
      const auto s = at(x.layer, x.source) - at(x.layer, y.source),
                 t = at(x.layer + 1, x.target) - at(x.layer + 1, y.target);
      if (s * t < 0) ++count;
    }
  }
  return count;
}

TEST(LayeredLayout, CountsCrossingsAsPairsDo) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto graph = random_graph({5, 8, 3, 6}, 60, seed);
    EXPECT_EQ(count_crossings(graph, input_order(graph)), plain_crossings(graph, input_order(graph)));
  }
}

TEST(LayeredLayout, NeverHasMoreCrossingsThanTheInput) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto graph = random_graph({6, 1, 9, 7}, 40, seed);
    const auto orders = reduce_crossings(graph);
    EXPECT_LE(plain_crossings(graph, orders), plain_crossings(graph, input_order(graph)));
    for (std::size_t layer = 0; layer < orders.size(); ++layer) {
      auto sorted = orders[layer];
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(sorted, input_order(graph)[layer]) << "a permutation";
    }
  }
}

TEST(LayeredLayout, UntanglesAShuffledMatching) {
  LayeredGraph graph{{12, 12, 12}, {}};
  for (int k = 0; k < 12; ++k) {
    graph.links.push_back({0, k, (5 * k + 3) % 12, 1.0});
    graph.links.push_back({1, k, (7 * k + 1) % 12, 1.0});
  }
  EXPECT_GT(count_crossings(graph, input_order(graph)), 0);
  EXPECT_EQ(count_crossings(graph, reduce_crossings(graph)), 0);
}

TEST(LayeredLayout, FindsTheLeastCrossingsOfSmallGraphs) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto graph = random_graph({5, 5}, 9, seed);
    auto orders = input_order(graph);
    std::int64_t least = plain_crossings(graph, orders);
    do {
      std::sort(orders[1].begin(), orders[1].end());
      do least = std::min(least, count_crossings(graph, orders));
      while (std::next_permutation(orders[1].begin(), orders[1].end()));
    } while (std::next_permutation(orders[0].begin(), orders[0].end()));
    EXPECT_EQ(count_crossings(graph, reduce_crossings(graph)), least) << seed;
  }
}

TEST(LayeredLayout, AcceptsEmptyGraphs) {
  EXPECT_TRUE(reduce_crossings({}).empty());
  EXPECT_EQ(reduce_crossings({{1}, {}}), (LayerOrders{{0}}));
  EXPECT_EQ(reduce_crossings({{0, 2, 0}, {}}), (LayerOrders{{}, {0, 1}, {}}));
}

TEST(SeparatedPositions, KeepsDesiredPositionsThatAreFarEnoughApart) {
  const std::vector<double> desired{1, 5, 9}, weights{1, 1, 1}, gaps{2, 2};
  EXPECT_EQ(separated_positions(desired, weights, gaps, 0, 10), desired);
}

TEST(SeparatedPositions, SplitsConflictsByWeight) {
  const std::vector<double> desired{5, 5}, weights{3, 1}, gaps{4};
  const auto y = separated_positions(desired, weights, gaps, -100, 100);
  EXPECT_NEAR(y[0], 4.0, 1e-12);
  EXPECT_NEAR(y[1], 8.0, 1e-12);
}

TEST(SeparatedPositions, StaysInBoundsAndApart) {
  const RandomStream random{3, 6};
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    std::vector<double> desired, weights, gaps;
    for (std::uint32_t k = 0; k < 9; ++k) {
      desired.push_back(100.0 * random.uniform(trial, 3 * k));
      weights.push_back(0.1 + random.uniform(trial, 3 * k + 1));
      if (k > 0) gaps.push_back(8.0 * random.uniform(trial, 3 * k + 2));
    }
    const auto y = separated_positions(desired, weights, gaps, 10, 90);
    EXPECT_GE(y.front(), 10.0 - 1e-9);
    EXPECT_LE(y.back(), 90.0 + 1e-9);
    for (std::size_t k = 0; k + 1 < y.size(); ++k) EXPECT_GE(y[k + 1] - y[k], gaps[k] - 1e-9);
  }
}

}  // namespace
}  // namespace thalweg
