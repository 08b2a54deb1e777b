// The register-blocked CPU form of the neighbour search. No Kokkos: plain vectors.
#pragma once

#include <cstdint>
#include <span>

namespace thalweg {

/// Packed points as `SearchPoints` holds them.
template <class Scalar>
struct HostSearch {
  std::int64_t num_points = 0;
  std::int64_t dimension = 0;
  const Scalar* screened = nullptr;      // tiles x d x tile_rows
  const Scalar* half_norms = nullptr;    // tiles x tile_rows
  const double* exact = nullptr;         // n x d
  const std::int32_t* groups = nullptr;  // n, or none
};

/// Queries that are searched together, so that a block of columns is read once for all of them.
inline constexpr std::int64_t queries_together = 96;

/// Sorted lists of the `count` nearest points of at most `queries_together` points.
/// @param squared_distances, indices   queries x count, row-major
template <class Scalar>
void neighbours_of_queries(const HostSearch<Scalar>& search, std::span<const std::int32_t> queries, std::int64_t count,
                           double* squared_distances, std::int32_t* indices);

}  // namespace thalweg
