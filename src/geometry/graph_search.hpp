// Shortest paths from one node of a graph: the scratch that a thread keeps for its searches. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "geometry/knn_graph.hpp"

namespace thalweg {

/// Searches of one thread. Edges of length 1 are searched breadth first, others by Dijkstra's method with a 4-ary heap;
/// a distance is the sum of the edges in the order of the path, in double.
class GraphSearch {
 public:
  /// @param graph   must outlive this object
  explicit GraphSearch(const Graph& graph);

  /// Distances from `source` to all nodes, infinite where no path leads; valid until the next call.
  std::span<const double> from(std::int32_t source);

 private:
  using Entry = std::pair<double, std::int32_t>;

  void breadth_first(std::int32_t source);
  void dijkstra(std::int32_t source);
  void push(Entry entry);
  Entry pop();

  const Graph& graph_;
  std::vector<double> distances_;
  std::vector<std::int32_t> queue_;
  std::vector<Entry> heap_;
};

}  // namespace thalweg
