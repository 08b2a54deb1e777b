#include "geometry/geodesics.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "geometry/graph_search.hpp"
#include "kernels/random.hpp"

namespace thalweg {

namespace {

constexpr double unreached = std::numeric_limits<double>::infinity();

/// Calls keep(s, distances) for the s-th source, by the thread that searched it.
template <class Keep>
void search_all(const Graph& graph, std::span<const std::int32_t> sources, Keep&& keep) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const Host exec;
  std::atomic<std::size_t> next = 0;
  const auto threads = std::min<std::size_t>(static_cast<std::size_t>(exec.concurrency()), sources.size());
  const auto search_share = [&](const std::size_t) {
    GraphSearch search(graph);
    for (std::size_t s = next++; s < sources.size(); s = next++) keep(s, search.from(sources[s]));
  };
  if (threads <= 1) {
    search_share(0);
    return;
  }
  Kokkos::parallel_for("thalweg::geodesics::search", Kokkos::RangePolicy<Host>(exec, 0, threads), search_share);
  exec.fence("thalweg::geodesics::search");
}

/// What the rows of all sources have in common.
struct Extent {
  double largest = 0.0;  // finite distance
  bool is_connected = true;
};

Extent extent_of(std::span<const double> distances) {
  Extent extent;
  for (const double distance : distances) {
    if (distance == unreached) extent.is_connected = false;
    else extent.largest = std::max(extent.largest, distance);
  }
  return extent;
}

/// Over the sources of all ranks; refuses nodes that no path reaches where the mode does not say what they become.
Extent common_extent(const Communicator& comm, const std::vector<Extent>& extents, Disconnected disconnected) {
  Extent common;
  for (const Extent& extent : extents) {
    common.largest = std::max(common.largest, extent.largest);
    common.is_connected &= extent.is_connected;
  }
  common.largest = comm.all_reduce(common.largest, Reduction::max);
  common.is_connected = !comm.any(!common.is_connected);
  if (!common.is_connected && disconnected != Disconnected::max && disconnected != Disconnected::infinite)
    throw DataError(
        "cells that no path joins in the graph of geodesic distances; it must be in one piece; "
        "bridge its components or set disconnected to \"max\"");
  return common;
}

template <class Value>
struct StoredRows {
  std::vector<Value> values;
  Extent extent;
};

/// Rows as `Value`; what does not fit is cut off and to be recognised by `extent`.
template <class Value>
StoredRows<Value> stored_rows(const Communicator& comm, const Graph& graph, std::span<const std::int32_t> sources,
                              Disconnected disconnected) {
  const auto n = static_cast<std::size_t>(graph.num_nodes);
  StoredRows<Value> rows{std::vector<Value>(sources.size() * n), {}};
  constexpr double limit =
      std::numeric_limits<Value>::has_infinity ? unreached : static_cast<double>(std::numeric_limits<Value>::max());
  std::vector<Extent> extents(sources.size());
  search_all(graph, sources, [&](std::size_t s, std::span<const double> distances) {
    extents[s] = extent_of(distances);
    for (std::size_t i = 0; i < n; ++i) rows.values[s * n + i] = static_cast<Value>(std::min(distances[i], limit));
  });
  rows.extent = common_extent(comm, extents, disconnected);
  if (rows.extent.is_connected || disconnected != Disconnected::max) return rows;
  for (Value& value : rows.values)
    if (static_cast<double>(value) == limit) value = static_cast<Value>(rows.extent.largest);
  return rows;
}

/// Bytes hold every hop and, if there are unreached nodes, one value more that marks them until they are replaced.
bool fits_bytes(const Extent& extent, Disconnected disconnected) {
  if (!extent.is_connected && disconnected == Disconnected::infinite) return false;
  return extent.largest <= (extent.is_connected ? 255.0 : 254.0);
}

std::span<const std::int32_t> share_of(const Communicator& comm, std::span<const std::int32_t> nodes) {
  const RowRange share = Partition(static_cast<std::int64_t>(nodes.size()), comm.size()).rows_of(comm.rank());
  return nodes.subspan(static_cast<std::size_t>(share.begin), static_cast<std::size_t>(share.size()));
}

/// From searched x owned, one rank's searches after another, to owned x searched.
Matrix transposed(const std::vector<double>& values, std::int64_t owned, std::int64_t searched) {
  Matrix result(owned, searched);
  for (std::int64_t s = 0; s < searched; ++s)
    for (std::int64_t i = 0; i < owned; ++i) result(i, s) = values[static_cast<std::size_t>(s * owned + i)];
  return result;
}

}  // namespace

GeodesicRows geodesic_rows(const Context& context, const Graph& graph, std::span<const std::int32_t> sources,
                           Disconnected disconnected) {
  GeodesicRows result{{sources.begin(), sources.end()}, graph.num_nodes, {}, 0.0};
  const auto store = [&]<class Value>(StoredRows<Value> rows) {
    result.largest = rows.extent.largest;
    result.values = std::move(rows.values);
  };
  const bool is_hops = graph.edge_weight() == EdgeWeight::hops;
  if (is_hops) {
    auto bytes = stored_rows<std::uint8_t>(context.comm, graph, sources, disconnected);
    if (fits_bytes(bytes.extent, disconnected)) {
      store(std::move(bytes));
      return result;
    }
  }
  if (is_hops || context.precision == Precision::float32)
    store(stored_rows<float>(context.comm, graph, sources, disconnected));
  else store(stored_rows<double>(context.comm, graph, sources, disconnected));
  return result;
}

Matrix distances_to(const Context& context, const Graph& graph, RowRange rows, std::span<const std::int32_t> targets,
                    Disconnected disconnected) {
  const Communicator& comm = context.comm;
  const auto searched = share_of(comm, targets);
  const auto found = stored_rows<double>(comm, graph, searched, disconnected).values;
  const std::int64_t bounds[2] = {rows.begin, rows.end};
  const auto all_bounds = comm.all_gather(std::span<const std::int64_t>(bounds));
  std::vector<double> send;
  send.reserve(found.size());
  std::vector<std::int64_t> send_counts, receive_counts;
  for (std::size_t q = 0; q < all_bounds.size(); q += 2) {
    const std::int64_t begin = all_bounds[q], end = all_bounds[q + 1];
    for (std::int64_t s = 0; s < static_cast<std::int64_t>(searched.size()); ++s)
      send.insert(send.end(), found.begin() + s * graph.num_nodes + begin, found.begin() + s * graph.num_nodes + end);
    send_counts.push_back((end - begin) * static_cast<std::int64_t>(searched.size()));
  }
  const auto received = comm.all_to_all(std::span<const double>(send), send_counts, receive_counts);
  return transposed(received, rows.size(), static_cast<std::int64_t>(targets.size()));
}

Matrix distances_between(const Context& context, const Graph& graph, std::span<const std::int32_t> nodes,
                         Disconnected disconnected) {
  const auto searched = share_of(context.comm, nodes);
  std::vector<Extent> extents(searched.size());
  std::vector<double> owned(searched.size() * nodes.size());
  search_all(graph, searched, [&](std::size_t s, std::span<const double> distances) {
    extents[s] = extent_of(distances);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      owned[s * nodes.size() + i] = distances[static_cast<std::size_t>(nodes[i])];
  });
  const Extent extent = common_extent(context.comm, extents, disconnected);
  Matrix result(static_cast<std::int64_t>(nodes.size()), static_cast<std::int64_t>(nodes.size()));
  result.values = context.comm.all_gather(std::span<const double>(owned));
  if (disconnected == Disconnected::max)
    for (double& value : result.values) value = std::min(value, extent.largest);
  return result;
}

std::vector<std::int32_t> random_cells(std::int64_t num_cells, std::int64_t count, std::uint64_t seed,
                                       std::uint32_t stream) {
  const RandomStream random{seed, stream};
  std::vector<std::pair<std::uint64_t, std::int32_t>> keys(static_cast<std::size_t>(num_cells));
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = {random.bits(i), static_cast<std::int32_t>(i)};
  std::partial_sort(keys.begin(), keys.begin() + count, keys.end());
  std::vector<std::int32_t> cells;
  for (std::int64_t i = 0; i < count; ++i) cells.push_back(keys[static_cast<std::size_t>(i)].second);
  return cells;
}

std::vector<std::int32_t> farthest_nodes(const Graph& graph, std::vector<std::int32_t> first, std::int64_t count) {
  GraphSearch search(graph);
  std::vector<double> nearest(static_cast<std::size_t>(graph.num_nodes), unreached);
  const auto take = [&](std::int32_t node) {
    const auto distances = search.from(node);
    for (std::size_t i = 0; i < nearest.size(); ++i) nearest[i] = std::min(nearest[i], distances[i]);
    nearest[static_cast<std::size_t>(node)] = -1.0;  // nodes at distance 0 of it are still free
  };
  for (const std::int32_t node : first) take(node);
  while (static_cast<std::int64_t>(first.size()) < std::min(count, graph.num_nodes)) {
    first.push_back(static_cast<std::int32_t>(std::max_element(nearest.begin(), nearest.end()) - nearest.begin()));
    take(first.back());
  }
  return first;
}

std::vector<std::int32_t> choose_landmarks(const Graph& graph, LandmarkChoice choice, std::int64_t count,
                                           std::uint64_t seed) {
  count = std::min(count, graph.num_nodes);
  if (choice == LandmarkChoice::uniform || count == 0)
    return random_cells(graph.num_nodes, count, seed, landmark_stream);
  return farthest_nodes(graph, random_cells(graph.num_nodes, 1, seed, landmark_stream), count);
}

}  // namespace thalweg
