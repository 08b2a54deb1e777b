// Layout of layered graphs: order of the nodes within layers and their positions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// A link from node `source` of layer `layer` to node `target` of layer `layer + 1`.
struct LayerLink {
  int layer = 0, source = 0, target = 0;
  double weight = 0.0;  ///< >= 0
};

/// Nodes are numbered within their layer.
struct LayeredGraph {
  std::vector<int> layer_sizes;
  std::vector<LayerLink> links;
};

/// orders[layer][position] = node.
using LayerOrders = std::vector<std::vector<int>>;

/// Nodes in the order they were given.
LayerOrders input_order(const LayeredGraph& graph);

/// Pairs of links that cross. O(links log nodes).
std::int64_t count_crossings(const LayeredGraph& graph, const LayerOrders& orders);

/// Orders with few crossings: barycentre sweeps to the right and to the left, each followed by exchanges of
/// neighbours, from the input order and (graphs of up to 1000 links) from shuffled orders; the best is kept (fewest
/// crossings, then least sum of weight products of crossing links). Never more crossings than the input order.
/// Deterministic. Source: Sugiyama, Tagawa & Toda (1981); Gansner et al. (1993), A technique for drawing directed
/// graphs.
LayerOrders reduce_crossings(const LayeredGraph& graph);

/// Positions y_0 <= y_1 <= .. that minimise sum_i w_i (y_i - desired_i)^2
/// under y_{i+1} - y_i >= gaps_i and low <= y_0, y_last <= high (high wide enough for all gaps).
/// Exact: isotonic regression by pooling of adjacent violators after removing the gaps.
/// @param gaps     length n - 1
/// @param weights  length n, > 0
std::vector<double> separated_positions(std::span<const double> desired, std::span<const double> weights,
                                        std::span<const double> gaps, double low, double high);

}  // namespace thalweg
