// The graph that joins each cell to its nearest neighbours, in one piece. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/neighbours.hpp"

namespace thalweg {

/// Length of an edge: 1, or the distance of its ends in the metric of the search.
enum class EdgeWeight { hops, distance };

/// What becomes of cells that no path joins: shortest edges are added; their distance is the largest finite one;
/// the run stops; it stays infinite.
enum class Disconnected { bridge, max, error, infinite };

/// Undirected graph by compressed rows; both directions of an edge are stored, columns ascending. On every rank.
struct Graph {
  std::int64_t num_nodes = 0;
  std::vector<std::int64_t> offsets = {0};  // num_nodes + 1
  std::vector<std::int32_t> columns;
  std::vector<double> weights;  // of each column; empty: 1

  EdgeWeight edge_weight() const { return weights.empty() ? EdgeWeight::hops : EdgeWeight::distance; }
  std::span<const std::int32_t> neighbours_of(std::int64_t node) const {
    const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(node)]);
    return std::span(columns).subspan(begin,
                                      static_cast<std::size_t>(offsets[static_cast<std::size_t>(node) + 1]) - begin);
  }
};

struct Edge {
  std::int32_t from = 0;  // < to
  std::int32_t to = 0;
  double distance = 0.0;

  bool operator==(const Edge&) const = default;
};

/// Edges from..to, in any order, as a graph; of repeated ones the shortest counts. Lengths >= 0.
Graph graph_of_edges(std::int64_t num_nodes, std::vector<Edge> edges, EdgeWeight weight);

/// i and j are joined if either lists the other. @param all_rows   of all points: gather_rows
Graph union_graph(const NeighbourTable& all_rows, EdgeWeight weight);

/// Connected components, numbered by their smallest node.
struct Components {
  std::vector<std::int32_t> label;  // of each node
  std::vector<std::int64_t> sizes;
};
Components components_of(const Graph& graph);

/// The edges of the minimum spanning tree of the components, where the length between two of them is that of their
/// closest pair of cells; equal lengths by smaller ends. Boruvka's method: every component but the largest looks for
/// its nearest outside cell, log2(components) times at most. Same on all ranks. Collective.
std::vector<Edge> bridges_between(const Communicator& comm, const NeighbourSearch& search,
                                  const Components& components);

/// A repaired graph and what was wrong with it.
struct KnnGraph {
  Graph graph;
  Components components;      // before repair
  std::vector<Edge> bridges;  // that were added
};

/// @param k   counts the cell itself. Collective.
/// @throws DataError when `disconnected` is `error` and there are several components, listing their sizes
KnnGraph make_knn_graph(const Communicator& comm, const NeighbourSearch& search, std::int64_t k, EdgeWeight weight,
                        Disconnected disconnected);

}  // namespace thalweg
