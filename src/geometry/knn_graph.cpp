#include "geometry/knn_graph.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

namespace thalweg {

namespace {

Edge edge_between(std::int32_t i, std::int32_t j, double distance) {
  return {std::min(i, j), std::max(i, j), distance};
}

bool comes_before(const Edge& a, const Edge& b) {
  return std::tie(a.distance, a.from, a.to) < std::tie(b.distance, b.from, b.to);
}

std::vector<Edge> edges_of(const Graph& graph) {
  std::vector<Edge> edges;
  for (std::int64_t node = 0; node < graph.num_nodes; ++node)
    for (auto at = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(node)]);
         at < static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(node) + 1]); ++at)
      if (graph.columns[at] > node)
        edges.push_back(
            {static_cast<std::int32_t>(node), graph.columns[at], graph.weights.empty() ? 1.0 : graph.weights[at]});
  return edges;
}

/// Root of a node in a forest of parents, shortening the path.
std::int32_t root_of(std::vector<std::int32_t>& parents, std::int32_t node) {
  while (parents[static_cast<std::size_t>(node)] != node) {
    std::int32_t& parent = parents[static_cast<std::size_t>(node)];
    parent = parents[static_cast<std::size_t>(parent)];
    node = parent;
  }
  return node;
}

/// Joins two trees under the smaller root; false if they were one.
bool join(std::vector<std::int32_t>& parents, std::int32_t i, std::int32_t j) {
  const std::int32_t a = root_of(parents, i), b = root_of(parents, j);
  parents[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
  return a != b;
}

std::vector<std::int32_t> nodes_outside(const std::vector<std::int32_t>& label, std::int32_t passed_over) {
  std::vector<std::int32_t> nodes;
  for (std::size_t i = 0; i < label.size(); ++i)
    if (label[i] != passed_over) nodes.push_back(static_cast<std::int32_t>(i));
  return nodes;
}

/// The shortest edge that leaves each group but `passed_over`.
std::vector<Edge> shortest_exits(const Communicator& comm, const NeighbourSearch& search,
                                 const std::vector<std::int32_t>& label, std::int32_t num_groups,
                                 std::int32_t passed_over) {
  const std::vector<std::int32_t> nodes = nodes_outside(label, passed_over);
  const RowRange share = Partition(static_cast<std::int64_t>(nodes.size()), comm.size()).rows_of(comm.rank());
  const NeighbourTable owned = search.nearest_of_other_groups(
      std::span(nodes).subspan(static_cast<std::size_t>(share.begin), static_cast<std::size_t>(share.size())), label);
  const auto targets = comm.all_gather(std::span<const std::int32_t>(owned.indices));
  const auto distances = comm.all_gather(std::span<const double>(owned.distances));
  std::vector<Edge> exits(static_cast<std::size_t>(num_groups), {0, 0, std::numeric_limits<double>::infinity()});
  for (std::size_t q = 0; q < nodes.size(); ++q) {
    const Edge edge = edge_between(nodes[q], targets[q], distances[q]);
    Edge& exit = exits[static_cast<std::size_t>(label[static_cast<std::size_t>(nodes[q])])];
    if (comes_before(edge, exit)) exit = edge;
  }
  std::erase_if(exits, [](const Edge& exit) { return exit.from == exit.to; });
  return exits;
}

std::string text_of_sizes(std::vector<std::int64_t> sizes) {
  constexpr std::size_t most = 8;
  std::sort(sizes.rbegin(), sizes.rend());
  std::string text;
  for (std::size_t i = 0; i < std::min(most, sizes.size()); ++i) text += (i ? ", " : "") + std::to_string(sizes[i]);
  return text + (sizes.size() > most ? ", .." : "");
}

[[noreturn]] void refuse_components(const NeighbourSearch& search, std::int64_t k, const Components& components) {
  throw DataError(std::to_string(components.sizes.size()) + " components of " + text_of_sizes(components.sizes) +
                  " cells in the graph of " + std::to_string(k) + " neighbours of " + search.name() +
                  "; disconnected = \"error\" allows one; raise the number of neighbours or set disconnected to "
                  "\"bridge\" or \"max\"");
}

}  // namespace

Graph graph_of_edges(std::int64_t num_nodes, std::vector<Edge> edges, EdgeWeight weight) {
  const std::size_t given = edges.size();
  for (std::size_t i = 0; i < given; ++i) edges.push_back({edges[i].to, edges[i].from, edges[i].distance});
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tie(a.from, a.to, a.distance) < std::tie(b.from, b.to, b.distance);
  });
  edges.erase(std::unique(edges.begin(), edges.end(),
                          [](const Edge& a, const Edge& b) { return a.from == b.from && a.to == b.to; }),
              edges.end());
  Graph graph{num_nodes, std::vector<std::int64_t>(static_cast<std::size_t>(num_nodes) + 1, 0), {}, {}};
  for (const Edge& edge : edges) {
    ++graph.offsets[static_cast<std::size_t>(edge.from) + 1];
    graph.columns.push_back(edge.to);
    if (weight == EdgeWeight::distance) graph.weights.push_back(edge.distance);
  }
  std::partial_sum(graph.offsets.begin(), graph.offsets.end(), graph.offsets.begin());
  return graph;
}

Graph union_graph(const NeighbourTable& all_rows, EdgeWeight weight) {
  std::vector<Edge> edges;
  edges.reserve(2 * all_rows.indices.size());
  for (std::size_t at = 0; at < all_rows.indices.size(); ++at) {
    const auto row = static_cast<std::int32_t>(static_cast<std::int64_t>(at) / all_rows.num_neighbours);
    edges.push_back(edge_between(row, all_rows.indices[at], all_rows.distances[at]));
  }
  return graph_of_edges(all_rows.num_points, std::move(edges), weight);
}

Components components_of(const Graph& graph) {
  std::vector<std::int32_t> parents(static_cast<std::size_t>(graph.num_nodes));
  std::iota(parents.begin(), parents.end(), 0);
  for (std::int64_t node = 0; node < graph.num_nodes; ++node)
    for (const std::int32_t other : graph.neighbours_of(node)) join(parents, static_cast<std::int32_t>(node), other);
  Components components{std::vector<std::int32_t>(parents.size()), {}};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    // Roots are the smallest nodes of their trees, so a root is labelled before the nodes below it.
    const std::int32_t root = root_of(parents, static_cast<std::int32_t>(i));
    if (root == static_cast<std::int32_t>(i)) {
      components.label[i] = static_cast<std::int32_t>(components.sizes.size());
      components.sizes.push_back(0);
    } else {
      components.label[i] = components.label[static_cast<std::size_t>(root)];
    }
    ++components.sizes[static_cast<std::size_t>(components.label[i])];
  }
  return components;
}

std::vector<Edge> bridges_between(const Communicator& comm, const NeighbourSearch& search,
                                  const Components& components) {
  std::vector<Edge> bridges;
  std::vector<std::int32_t> label = components.label;
  std::vector<std::int64_t> sizes = components.sizes;
  while (sizes.size() > 1) {
    const auto largest = static_cast<std::int32_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
    const auto exits = shortest_exits(comm, search, label, static_cast<std::int32_t>(sizes.size()), largest);
    std::vector<std::int32_t> parents(sizes.size());
    std::iota(parents.begin(), parents.end(), 0);
    for (const Edge& exit : exits)
      if (join(parents, label[static_cast<std::size_t>(exit.from)], label[static_cast<std::size_t>(exit.to)]))
        bridges.push_back(exit);
    std::vector<std::int32_t> number(parents.size());
    std::vector<std::int64_t> joined;
    for (std::size_t i = 0; i < parents.size(); ++i) {
      const auto root = static_cast<std::size_t>(root_of(parents, static_cast<std::int32_t>(i)));
      if (root == i) {
        number[i] = static_cast<std::int32_t>(joined.size());
        joined.push_back(0);
      }
      number[i] = number[root];
      joined[static_cast<std::size_t>(number[i])] += sizes[i];
    }
    for (std::int32_t& value : label) value = number[static_cast<std::size_t>(value)];
    sizes = joined;
  }
  return bridges;
}

KnnGraph make_knn_graph(const Communicator& comm, const NeighbourSearch& search, std::int64_t k, EdgeWeight weight,
                        Disconnected disconnected) {
  KnnGraph result;
  result.graph = union_graph(gather_rows(comm, search.nearest(k)), weight);
  result.components = components_of(result.graph);
  if (result.components.sizes.size() <= 1) return result;
  if (disconnected == Disconnected::error) refuse_components(search, k, result.components);
  if (disconnected != Disconnected::bridge) return result;
  result.bridges = bridges_between(comm, search, result.components);
  std::vector<Edge> edges = edges_of(result.graph);
  edges.insert(edges.end(), result.bridges.begin(), result.bridges.end());
  result.graph = graph_of_edges(search.num_points(), std::move(edges), weight);
  return result;
}

}  // namespace thalweg
