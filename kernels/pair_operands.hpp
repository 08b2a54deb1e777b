// What a pass over pairs of points reads, as plain addresses in the memory of the execution space. No Kokkos.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/block_rows.hpp"

namespace thalweg {

/// How the raw score of a pair follows from its features.
enum class PairScore {
  dot,        // x . y
  euclidean,  // -|x - y|, from x . y and the norms
  manhattan,  // -sum_k |x_k - y_k|
  dense,      // stored
};

/// Exponents of a pass in base 2, s_ij = kappa score(x_i, y_j) + u_i + v_j, u given with each call.
///
/// Both sides are tiles of tile_rows points, feature by feature: (tile, k, point). Biases, norms and weights are
/// padded to whole tiles; those of the padding are `no_bias` and 0.
template <class Scalar>
struct PairOperands {
  PairScore score = PairScore::dot;
  std::int64_t dimension = 0;
  std::int64_t num_columns = 0;
  Scalar kappa = 1;  // 1 for `dot`, whose features contain it
  const Scalar* rows = nullptr;
  const Scalar* columns = nullptr;
  const Scalar* row_norms = nullptr;  // |x|^2, |y|^2: `euclidean`
  const Scalar* column_norms = nullptr;
  const Scalar* column_bias = nullptr;     // v
  const Scalar* column_weights = nullptr;  // omega of the sums of omega_j 2^s_ij; null: 1
  const Scalar* dense = nullptr;           // scores of the row tiles from first_dense_tile on: (tile, column, row)
  std::int64_t first_dense_tile = 0;
  const float* dense_floats = nullptr;  // the same scores as floats, on hosts; where given, `dense` is not read

  constexpr std::int64_t column_tiles() const { return tiles_of(num_columns); }
  constexpr const Scalar* row_tile(std::int64_t tile) const { return rows + tile * dimension * tile_rows; }
  constexpr const Scalar* column_tile(std::int64_t tile) const { return columns + tile * dimension * tile_rows; }
  constexpr const Scalar* dense_column(std::int64_t tile, std::int64_t column) const {
    return dense + dense_place(tile, column);
  }
  constexpr Scalar dense_score(std::int64_t tile, std::int64_t column, std::int64_t row) const {
    return dense_floats ? static_cast<Scalar>(dense_floats[dense_place(tile, column) + row])
                        : dense_column(tile, column)[row];
  }
  constexpr std::int64_t dense_place(std::int64_t tile, std::int64_t column) const {
    return ((tile - first_dense_tile) * column_tiles() * tile_rows + column) * tile_rows;
  }
  static constexpr std::int64_t tiles_of(std::int64_t points) { return (points + tile_rows - 1) / tile_rows; }
};

/// Bias of a point that takes no part; every sum of it with scores and other biases stays below half of it.
inline constexpr double no_bias = -1e30;

/// Columns whose exponentials are added in Scalar before the sum goes to double.
inline constexpr std::int64_t flush_columns = 1536;

/// On devices work items take slices of the columns, whole multiples of flush_columns but the last; how many slices
/// there are depends on nothing but the number of columns.
struct ColumnSlice {
  std::int64_t begin = 0, end = 0;
};
inline constexpr std::int64_t most_slices = 16;

constexpr std::int64_t num_slices(std::int64_t num_columns) {
  const std::int64_t chunks = (num_columns + flush_columns - 1) / flush_columns;
  return chunks < 1 ? 1 : chunks > most_slices ? most_slices : chunks;
}
constexpr ColumnSlice slice_of_columns(std::int64_t num_columns, std::int64_t slice) {
  const std::int64_t chunks = (num_columns + flush_columns - 1) / flush_columns, count = num_slices(num_columns);
  const std::int64_t end = chunks * (slice + 1) / count * flush_columns;
  return {chunks * slice / count * flush_columns, end < num_columns ? end : num_columns};
}

}  // namespace thalweg
