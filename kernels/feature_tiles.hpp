// Row features packed for the fused low-rank pass.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/block_rows.hpp"

namespace thalweg {

/// Features phi (rows x p) of this rank's rows, tile by tile and transposed within a tile, so that the rows
/// of a tile are contiguous for every feature. A block is tiles_per_block tiles; rows beyond the last have weight 0.
template <class Scalar, class ExecutionSpace>
struct FeatureTiles {
  using Memory = typename ExecutionSpace::memory_space;

  std::int64_t num_rows = 0;
  std::int64_t dimension = 0;
  Kokkos::View<Scalar***, Kokkos::LayoutRight, Memory> features;  // tiles x p x tile_rows
  Kokkos::View<Scalar**, Kokkos::LayoutRight, Memory> weights;    // blocks x block_rows, mean 1

  std::int64_t num_blocks() const { return static_cast<std::int64_t>(weights.extent(0)); }

  /// phi_ij of row `row` of a block.
  KOKKOS_FUNCTION Scalar feature(std::int64_t block, std::int64_t j, std::int64_t row) const {
    return features(block * tiles_per_block + row / tile_rows, j, row % tile_rows);
  }
};

/// Writes phi of the owned row `row` to `values`, of length p.
using RowReader = std::function<void(std::int64_t row, std::span<double> values)>;

/// Packs rows that are read one by one, one block at a time.
/// @param weights   relative weights with mean 1 over all ranks, or empty for equal weights
template <class Scalar, class ExecutionSpace>
FeatureTiles<Scalar, ExecutionSpace> pack_feature_tiles(const ExecutionSpace& exec, std::int64_t num_rows,
                                                        std::int64_t dimension, const RowReader& read_row,
                                                        std::span<const double> weights);

/// The same of `rows` (num_rows x dimension, row-major, host), each less `center`.
template <class Scalar, class ExecutionSpace>
FeatureTiles<Scalar, ExecutionSpace> pack_feature_tiles(const ExecutionSpace& exec, std::span<const float> rows,
                                                        std::int64_t dimension, std::span<const double> center,
                                                        std::span<const double> weights);

}  // namespace thalweg
