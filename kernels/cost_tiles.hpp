// Costs that are stored, in the one order in which passes of the pair kernels read them. No Kokkos.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/pair_operands.hpp"
#include "kernels/panels.hpp"

namespace thalweg {

/// Scores -C of some rows (those that a rank owns) and all columns: (tile of rows, column, row), padded to whole tiles
/// with 0. New ones are not set but for the padding.
template <class Scalar>
class CostTiles {
 public:
  CostTiles(std::int64_t num_rows, std::int64_t num_columns)
      : num_rows_(num_rows), num_columns_(num_columns), scores_(size()) {
    for (std::int64_t tile = 0; tile < num_tiles(); ++tile) clear_padding(tile);
  }

  std::int64_t num_rows() const { return num_rows_; }
  std::int64_t num_columns() const { return num_columns_; }
  std::int64_t num_tiles() const { return PairOperands<Scalar>::tiles_of(num_rows_); }
  std::int64_t tile_size() const { return padded_columns() * tile_rows; }
  std::int64_t size() const { return num_tiles() * padded_columns() * tile_rows; }
  Scalar* data() { return scores_.data(); }
  const Scalar* data() const { return scores_.data(); }
  /// The rows of one tile in a column, tile_rows of them.
  Scalar* column(std::int64_t tile, std::int64_t j) { return data() + (tile * padded_columns() + j) * tile_rows; }
  const Scalar* column(std::int64_t tile, std::int64_t j) const {
    return data() + (tile * padded_columns() + j) * tile_rows;
  }
  double cost(std::int64_t i, std::int64_t j) const {
    return -static_cast<double>(column(i / tile_rows, j)[i % tile_rows]);
  }
  void set_cost(std::int64_t i, std::int64_t j, double cost) {
    column(i / tile_rows, j)[i % tile_rows] = static_cast<Scalar>(-cost);
  }

 private:
  std::int64_t padded_columns() const { return PairOperands<Scalar>::tiles_of(num_columns_) * tile_rows; }

  void clear_padding(std::int64_t tile) {
    Scalar* const end = data() + (tile + 1) * padded_columns() * tile_rows;
    std::fill(column(tile, num_columns_), end, Scalar(0));
    const std::int64_t used = std::min<std::int64_t>(tile_rows, num_rows_ - tile * tile_rows);
    if (used == tile_rows) return;
    for (std::int64_t j = 0; j < num_columns_; ++j)
      std::fill(column(tile, j) + used, column(tile, j) + tile_rows, Scalar(0));
  }

  std::int64_t num_rows_, num_columns_;
  LineBuffer<Scalar> scores_;
};

}  // namespace thalweg
