// Both updates from one set of exponentials: a strip of rows against all columns, kept until its factors are known.
#pragma once

#include <cstdint>

#include "kernels/pair_operands.hpp"
#include "kernels/panels.hpp"

namespace thalweg {

/// Where the new biases of rows come from: u = offset - tau l, l_i = log2 sum_j 2^(kappa score_ij + v_j). With tau 0
/// they are given.
struct BiasUpdate {
  double tau = 1.0;
  const double* offsets = nullptr;  // tile_rows

  double bias(int row, double log) const { return tau > 0.0 ? offsets[row] - tau * log : offsets[row]; }
};

/// Addresses of what a tile of rows gets, tile_rows each.
template <class Scalar>
struct StripResults {
  Scalar* biases = nullptr;  // new u
  double* logs = nullptr;    // l
};

/// Rows of a strip: a whole tile, or a part of it where the exponentials of a tile would leave the cache.
inline constexpr int strip_heights[] = {tile_rows, tile_rows / 2, tile_rows / 4};

/// Bytes of a column in the scratch of a thread.
constexpr std::int64_t strip_column_bytes(int height, std::int64_t scalar_bytes) { return height * scalar_bytes + 8; }

namespace host {

/// Scratch of one thread: exponentials of one strip and the column sums so far in fixed point.
template <class Scalar>
class Strip {
 public:
  /// @param height   one of strip_heights
  Strip(const PairOperands<Scalar>& operands, int height);

  /// Adds one tile of rows to the column sums c_j = sum_i alpha_i 2^s_ij, s with the new biases.
  /// @param shifts    u to form exponentials with, tile_rows; null: from the largest exponents
  /// @param alpha     tile_rows, 0 for rows that take no part and padding
  /// @param bound     of the column sums
  /// @param rows      where the results of the tile's rows go
  /// @return          sum of what was added
  double add_tile(std::int64_t tile, const Scalar* shifts, const BiasUpdate& update, const double* alpha, double bound,
                  const StripResults<Scalar>& rows);

  /// Adds the fixed-point column sums to `sums`, in the order of columns.
  void add_to(std::int64_t* sums) const;

  /// How many tiles needed their largest exponents.
  std::int64_t fallback_tiles() const { return fallback_tiles_; }

 private:
  const PairOperands<Scalar>& operands_;
  int height_;
  std::int64_t padded_columns_;
  LineBuffer<Scalar> exponentials_;  // column by column, height_ each
  LineBuffer<std::int64_t> sums_;    // in the order of lane sums
  std::int64_t fallback_tiles_ = 0;
};

}  // namespace host
}  // namespace thalweg
