// Exact nearest neighbours among the points of one cloud: screened in `Scalar`, decided in double.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/block_rows.hpp"

namespace thalweg {

/// All points, once as they are and once rounded for screening: less their mean, tile by tile and transposed within a
/// tile, so that the points of a tile are contiguous for every feature.
template <class Scalar, class ExecutionSpace>
struct SearchPoints {
  using Memory = typename ExecutionSpace::memory_space;

  std::int64_t num_points = 0;
  std::int64_t dimension = 0;
  Kokkos::View<Scalar***, Kokkos::LayoutRight, Memory> screened;   // tiles x d x tile_rows
  Kokkos::View<Scalar**, Kokkos::LayoutRight, Memory> half_norms;  // tiles x tile_rows: |y|^2 / 2 of screened points
  Kokkos::View<double**, Kokkos::LayoutRight, Memory> exact;       // n x d
};

/// Packs `points` (n x d, row-major, host), finite and of absolute value at most 1, so that no square overflows.
template <class Scalar, class ExecutionSpace>
SearchPoints<Scalar, ExecutionSpace> pack_search_points(const ExecutionSpace& exec, std::span<const double> points,
                                                        std::int64_t dimension);

/// Sorted lists of neighbours, queries x count, row-major: nearer first, ties by smaller index. Places for which there
/// is nobody hold `no_neighbour` at an infinite distance.
struct NeighbourLists {
  std::vector<double> squared_distances;
  std::vector<std::int32_t> indices;
};

/// The `count` nearest points of every query but itself; duplicates of it are neighbours.
///
/// A pair is screened by |y|^2 / 2 - x . y in `Scalar`; what cannot be told from the present list within the bound of
/// rounding (largest_score) is decided by |x - y|^2 in double. So the lists are those of plain loops in double,
/// whatever the data, the scalar and the number of threads. The host uses a register-blocked kernel, other spaces the
/// plain one.
/// @param queries   indices of points
/// @param count     >= 1
/// @param groups    n labels: points of the query's own group are passed over; empty: only the query is
template <class Scalar, class ExecutionSpace>
NeighbourLists nearest_neighbours(const ExecutionSpace& exec, const SearchPoints<Scalar, ExecutionSpace>& points,
                                  std::span<const std::int32_t> queries, std::int64_t count,
                                  std::span<const std::int32_t> groups = {});

/// The same lists by the plain kernel, one source for every execution space: the oracle of the tuned one.
template <class Scalar, class ExecutionSpace>
NeighbourLists nearest_neighbours_plain(const ExecutionSpace& exec, const SearchPoints<Scalar, ExecutionSpace>& points,
                                        std::span<const std::int32_t> queries, std::int64_t count,
                                        std::span<const std::int32_t> groups = {});

}  // namespace thalweg
