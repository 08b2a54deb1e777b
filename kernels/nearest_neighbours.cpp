#include "kernels/nearest_neighbours.hpp"

#include <algorithm>
#include <limits>

#include "kernels/device_launch.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/neighbour_list.hpp"
#include "kernels/neighbour_rows_host.hpp"

namespace thalweg {

namespace {

std::vector<double> mean_of(std::span<const double> points, std::int64_t dimension) {
  const auto d = static_cast<std::size_t>(dimension);
  std::vector<double> mean(d, 0.0);
  for (std::size_t i = 0; i < points.size(); ++i) mean[i % d] += points[i];
  const double count = static_cast<double>(points.size() / std::max<std::size_t>(1, d));
  for (double& value : mean) value /= count;
  return mean;
}

template <class Value, class Memory>
Kokkos::View<Value*, Memory> to_device(std::span<const Value> values) {
  Kokkos::View<Value*, Memory> device(Kokkos::view_alloc(Kokkos::WithoutInitializing, "thalweg::queries"),
                                      values.size());
  using Unmanaged = Kokkos::View<const Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  Kokkos::deep_copy(device, Unmanaged(values.data(), values.size()));
  return device;
}

template <class Value, class Memory>
std::vector<Value> to_host(const Kokkos::View<Value**, Kokkos::LayoutRight, Memory>& device) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, device);
  return {host.data(), host.data() + host.size()};
}

/// A query a thread; lists lie in memory.
template <class Scalar, class ExecutionSpace>
struct PlainSearch {
  using Memory = typename ExecutionSpace::memory_space;

  SearchPoints<Scalar, ExecutionSpace> points;
  Kokkos::View<std::int32_t*, Memory> queries, groups;
  Kokkos::View<double**, Kokkos::LayoutRight, Memory> squared_distances;
  Kokkos::View<std::int32_t**, Kokkos::LayoutRight, Memory> indices;
  std::int64_t count = 0;

  KOKKOS_FUNCTION Scalar feature(const std::int64_t point, const std::int64_t j) const {
    return points.screened(point / tile_rows, j, point % tile_rows);
  }

  KOKKOS_FUNCTION bool is_excluded(const std::int64_t query, const std::int64_t column) const {
    return column == query || (groups.extent(0) > 0 && groups(query) == groups(column));
  }

  KOKKOS_FUNCTION void operator()(const std::int64_t q) const {
    const std::int64_t query = queries(q);
    double* distances = &squared_distances(q, 0);
    std::int32_t* list = &indices(q, 0);
    double squared_norm = 0.0;
    for (std::int64_t j = 0; j < points.dimension; ++j)
      squared_norm += static_cast<double>(feature(query, j)) * static_cast<double>(feature(query, j));
    for (std::int64_t k = 0; k < count; ++k) {
      distances[k] = Kokkos::Experimental::infinity_v<double>;
      list[k] = no_neighbour;
    }
    Scalar largest = Kokkos::Experimental::infinity_v<Scalar>;
    for (std::int64_t column = 0; column < points.num_points; ++column) {
      Scalar score = points.half_norms(column / tile_rows, column % tile_rows);
      for (std::int64_t j = 0; j < points.dimension; ++j) score -= feature(query, j) * feature(column, j);
      if (score > largest || is_excluded(query, column)) continue;
      const auto index = static_cast<std::int32_t>(column);
      const double distance = squared_distance(&points.exact(query, 0), &points.exact(column, 0), points.dimension);
      if (!comes_before(distance, index, distances[count - 1], list[count - 1])) continue;
      insert_neighbour(distance, index, count, distances, list);
      largest = largest_score<Scalar>(squared_norm, distances[count - 1], points.dimension);
    }
  }
};

/// The host search: threads take the next queries as they come free, since some need more exact distances than others.
template <class Scalar, class ExecutionSpace>
NeighbourLists nearest_neighbours_host(const ExecutionSpace& exec, const SearchPoints<Scalar, ExecutionSpace>& points,
                                       std::span<const std::int32_t> queries, std::int64_t count,
                                       std::span<const std::int32_t> groups) {
  const HostSearch<Scalar> search{points.num_points,      points.dimension,
                                  points.screened.data(), points.half_norms.data(),
                                  points.exact.data(),    groups.empty() ? nullptr : groups.data()};
  const auto total = static_cast<std::int64_t>(queries.size());
  NeighbourLists lists{std::vector<double>(static_cast<std::size_t>(total * count)),
                       std::vector<std::int32_t>(static_cast<std::size_t>(total * count))};
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;
  const std::int64_t parts = (total + queries_together - 1) / queries_together;
  Kokkos::parallel_for(
      "thalweg::nearest_neighbours::host", Policy(exec, 0, parts, Kokkos::ChunkSize(1)), [&](const std::int64_t part) {
        const std::int64_t first = part * queries_together;
        const std::int64_t size = std::min(queries_together, total - first);
        neighbours_of_queries(search, queries.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)),
                              count, lists.squared_distances.data() + first * count,
                              lists.indices.data() + first * count);
      });
  exec.fence("thalweg::nearest_neighbours::host");
  return lists;
}

}  // namespace

template <class Scalar, class ExecutionSpace>
SearchPoints<Scalar, ExecutionSpace> pack_search_points(const ExecutionSpace&, std::span<const double> points,
                                                        std::int64_t dimension) {
  SearchPoints<Scalar, ExecutionSpace> packed;
  packed.dimension = dimension;
  packed.num_points = static_cast<std::int64_t>(points.size()) / std::max<std::int64_t>(1, dimension);
  const auto d = static_cast<std::size_t>(dimension), n = static_cast<std::size_t>(packed.num_points);
  const std::size_t tiles = (n + tile_rows - 1) / tile_rows;
  packed.screened = decltype(packed.screened)("thalweg::screened", tiles, d, tile_rows);
  packed.half_norms = decltype(packed.half_norms)("thalweg::half_norms", tiles, tile_rows);
  packed.exact = decltype(packed.exact)(Kokkos::view_alloc(Kokkos::WithoutInitializing, "thalweg::exact"), n, d);
  const auto screened = Kokkos::create_mirror_view(packed.screened);
  const auto half_norms = Kokkos::create_mirror_view(packed.half_norms);
  const auto exact = Kokkos::create_mirror_view(packed.exact);
  const std::vector<double> mean = mean_of(points, dimension);
  Kokkos::deep_copy(half_norms, std::numeric_limits<Scalar>::infinity());
  for (std::size_t i = 0; i < n; ++i) {
    double squared_norm = 0.0;
    for (std::size_t j = 0; j < d; ++j) {
      const double value = points[i * d + j];
      const auto rounded = static_cast<Scalar>(value - mean[j]);
      exact(i, j) = value;
      screened(i / tile_rows, j, i % tile_rows) = rounded;
      squared_norm += static_cast<double>(rounded) * static_cast<double>(rounded);
    }
    half_norms(i / tile_rows, i % tile_rows) = static_cast<Scalar>(0.5 * squared_norm);
  }
  Kokkos::deep_copy(packed.screened, screened);
  Kokkos::deep_copy(packed.half_norms, half_norms);
  Kokkos::deep_copy(packed.exact, exact);
  return packed;
}

template <class Scalar, class ExecutionSpace>
NeighbourLists nearest_neighbours_plain(const ExecutionSpace& exec, const SearchPoints<Scalar, ExecutionSpace>& points,
                                        std::span<const std::int32_t> queries, std::int64_t count,
                                        std::span<const std::int32_t> groups) {
  using Search = PlainSearch<Scalar, ExecutionSpace>;
  using Memory = typename Search::Memory;
  const auto width = static_cast<std::size_t>(count);
  const Search search{points,
                      to_device<std::int32_t, Memory>(queries),
                      to_device<std::int32_t, Memory>(groups),
                      decltype(Search::squared_distances)("thalweg::squared_distances", queries.size(), width),
                      decltype(Search::indices)("thalweg::indices", queries.size(), width),
                      count};
  Kokkos::parallel_for("thalweg::nearest_neighbours::plain",
                       Kokkos::RangePolicy<ExecutionSpace>(exec, 0, static_cast<std::int64_t>(queries.size())), search);
  check_launches("thalweg::nearest_neighbours::plain");
  exec.fence("thalweg::nearest_neighbours::plain");
  return {to_host(search.squared_distances), to_host(search.indices)};
}

template <class Scalar, class ExecutionSpace>
NeighbourLists nearest_neighbours(const ExecutionSpace& exec, const SearchPoints<Scalar, ExecutionSpace>& points,
                                  std::span<const std::int32_t> queries, std::int64_t count,
                                  std::span<const std::int32_t> groups) {
  if constexpr (Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename ExecutionSpace::memory_space>::accessible)
    return nearest_neighbours_host(exec, points, queries, count, groups);
  else return nearest_neighbours_plain(exec, points, queries, count, groups);
}

#define THALWEG_NEIGHBOURS(Scalar, Space)                                                                           \
  template SearchPoints<Scalar, Space> pack_search_points<Scalar, Space>(const Space&, std::span<const double>,     \
                                                                         std::int64_t);                             \
  template NeighbourLists nearest_neighbours<Scalar, Space>(const Space&, const SearchPoints<Scalar, Space>&,       \
                                                            std::span<const std::int32_t>, std::int64_t,            \
                                                            std::span<const std::int32_t>);                         \
  template NeighbourLists nearest_neighbours_plain<Scalar, Space>(const Space&, const SearchPoints<Scalar, Space>&, \
                                                                  std::span<const std::int32_t>, std::int64_t,      \
                                                                  std::span<const std::int32_t>);
THALWEG_INSTANTIATE(THALWEG_NEIGHBOURS)

}  // namespace thalweg
