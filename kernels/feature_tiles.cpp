#include "kernels/feature_tiles.hpp"

#include <algorithm>

#include "kernels/device_pool.hpp"
#include "kernels/host_space.hpp"
#include "kernels/instantiate.hpp"

namespace thalweg {

namespace {

/// `count` rows, from `first` on, transposed within each tile of a block; zeros beyond them.
template <class Scalar>
void transpose_block(std::int64_t first, std::int64_t count, const RowReader& read_row, std::span<double> values, Scalar* block) {
  const auto dimension = static_cast<std::int64_t>(values.size());
  std::fill_n(block, dimension * block_rows, Scalar(0));
  for (std::int64_t i = 0; i < count; ++i) {
    read_row(first + i, values);
    Scalar* tile = block + i / tile_rows * tile_rows * dimension;
    for (std::int64_t j = 0; j < dimension; ++j) tile[j * tile_rows + i % tile_rows] = static_cast<Scalar>(values[static_cast<std::size_t>(j)]);
  }
}

/// Weights of one block; zeros beyond the last row.
template <class Scalar>
void copy_weights(std::int64_t first, std::int64_t count, std::span<const double> weights, Scalar* block) {
  for (std::int64_t i = 0; i < block_rows; ++i)
    block[i] = i >= count        ? Scalar(0)
               : weights.empty() ? Scalar(1)
                                 : static_cast<Scalar>(weights[static_cast<std::size_t>(first + i)]);
}

/// Blocks that are copied together: to a device, each copy is a wait.
template <class ExecutionSpace>
constexpr std::int64_t blocks_at_once = is_host<ExecutionSpace> ? 1 : 32;

}  // namespace

template <class Scalar, class ExecutionSpace>
FeatureTiles<Scalar, ExecutionSpace> pack_feature_tiles(const ExecutionSpace& exec, std::int64_t num_rows,
                                                        std::int64_t dimension, const RowReader& read_row,
                                                        std::span<const double> weights) {
  FeatureTiles<Scalar, ExecutionSpace> tiles;
  tiles.dimension = dimension;
  tiles.num_rows = num_rows;
  const std::int64_t blocks = (tiles.num_rows + block_rows - 1) / block_rows;
  tiles.features = decltype(tiles.features)(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::features"),
                                            static_cast<std::size_t>(blocks * tiles_per_block),
                                            static_cast<std::size_t>(dimension), tile_rows);
  tiles.weights = decltype(tiles.weights)(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::weights"),
                                          static_cast<std::size_t>(blocks), block_rows);
  const std::int64_t at_once = std::min<std::int64_t>(blocks, blocks_at_once<ExecutionSpace>), size = dimension * block_rows;
  std::vector<Scalar> features(static_cast<std::size_t>(at_once * size)), own_weights(static_cast<std::size_t>(at_once * block_rows));
  std::vector<double> values(static_cast<std::size_t>(dimension));
  for (std::int64_t block = 0; block < blocks; block += at_once) {
    const std::int64_t staged = std::min(at_once, blocks - block);
    for (std::int64_t b = 0; b < staged; ++b) {
      const std::int64_t first = (block + b) * block_rows, count = std::min<std::int64_t>(block_rows, num_rows - first);
      transpose_block(first, count, read_row, std::span<double>(values), features.data() + b * size);
      copy_weights(first, count, weights, own_weights.data() + b * block_rows);
    }
    start_copy(exec, std::span<const Scalar>(features.data(), static_cast<std::size_t>(staged * size)), tiles.features.data() + block * size);
    start_copy(exec, std::span<const Scalar>(own_weights.data(), static_cast<std::size_t>(staged * block_rows)), tiles.weights.data() + block * block_rows);
    exec.fence("thalweg::feature_tiles::pack");
  }
  return tiles;
}

template <class Scalar, class ExecutionSpace>
FeatureTiles<Scalar, ExecutionSpace> pack_feature_tiles(const ExecutionSpace& exec, std::span<const float> rows,
                                                        std::int64_t dimension, std::span<const double> center,
                                                        std::span<const double> weights) {
  const auto read_row = [&](std::int64_t row, std::span<double> values) {
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = static_cast<double>(rows[static_cast<std::size_t>(row * dimension) + j]) - center[j];
  };
  return pack_feature_tiles<Scalar>(exec, static_cast<std::int64_t>(rows.size()) / dimension, dimension, RowReader(read_row), weights);
}

#define THALWEG_PACK(Scalar, Space)                                                                                  \
  template FeatureTiles<Scalar, Space> pack_feature_tiles<Scalar, Space>(const Space&, std::int64_t, std::int64_t,   \
                                                                         const RowReader&, std::span<const double>); \
  template FeatureTiles<Scalar, Space> pack_feature_tiles<Scalar, Space>( \
      const Space&, std::span<const float>, std::int64_t, std::span<const double>, std::span<const double>);
THALWEG_INSTANTIATE(THALWEG_PACK)

}  // namespace thalweg
