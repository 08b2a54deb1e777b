#include "kernels/feature_tiles.hpp"

#include <algorithm>

#include "kernels/instantiate.hpp"

namespace thalweg {

namespace {

template <class Scalar>
void transpose_tile(std::span<const float> rows, std::int64_t dimension, std::span<const double> center, Scalar* tile) {
  const std::int64_t count = static_cast<std::int64_t>(rows.size()) / dimension;
  for (std::int64_t j = 0; j < dimension; ++j) {
    Scalar* feature = tile + j * tile_rows;
    const double shift = center[static_cast<std::size_t>(j)];
    for (std::int64_t i = 0; i < count; ++i)
      feature[i] = static_cast<Scalar>(static_cast<double>(rows[static_cast<std::size_t>(i * dimension + j)]) - shift);
    for (std::int64_t i = count; i < tile_rows; ++i) feature[i] = Scalar(0);
  }
}

template <class Scalar>
void transpose_block(std::span<const float> rows, std::int64_t dimension, std::span<const double> center,
                     Scalar* block) {
  const std::size_t size = static_cast<std::size_t>(tile_rows * dimension);
  for (std::size_t tile = 0; tile < tiles_per_block; ++tile) {
    const std::size_t first = std::min(rows.size(), tile * size);
    transpose_tile(rows.subspan(first, std::min(size, rows.size() - first)), dimension, center, block + tile * size);
  }
}

}  // namespace

template <class Scalar, class ExecutionSpace>
FeatureTiles<Scalar, ExecutionSpace> pack_feature_tiles(const ExecutionSpace& exec, std::span<const float> rows,
                                                        std::int64_t dimension, std::span<const double> center,
                                                        std::span<const double> weights) {
  FeatureTiles<Scalar, ExecutionSpace> tiles;
  tiles.dimension = dimension;
  tiles.num_rows = static_cast<std::int64_t>(rows.size()) / dimension;
  const std::int64_t blocks = (tiles.num_rows + block_rows - 1) / block_rows;
  tiles.features = decltype(tiles.features)(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::features"),
                                            static_cast<std::size_t>(blocks * tiles_per_block),
                                            static_cast<std::size_t>(dimension), tile_rows);
  tiles.weights = decltype(tiles.weights)(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::weights"),
                                          static_cast<std::size_t>(blocks), block_rows);
  using Staging = Kokkos::View<Scalar*, Kokkos::HostSpace>;
  const Staging staging("thalweg::staging", static_cast<std::size_t>((dimension + 1) * block_rows));
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t first = block * block_rows, count = std::min<std::int64_t>(block_rows, tiles.num_rows - first);
    transpose_block(
        rows.subspan(static_cast<std::size_t>(first * dimension), static_cast<std::size_t>(count * dimension)),
        dimension, center, staging.data());
    Scalar* weight = staging.data() + dimension * block_rows;
    for (std::int64_t i = 0; i < block_rows; ++i)
      weight[i] = i >= count        ? Scalar(0)
                  : weights.empty() ? Scalar(1)
                                    : static_cast<Scalar>(weights[static_cast<std::size_t>(first + i)]);
    const std::size_t size = static_cast<std::size_t>(dimension) * block_rows;
    using Target = Kokkos::View<Scalar*, typename ExecutionSpace::memory_space, Kokkos::MemoryUnmanaged>;
    Kokkos::deep_copy(exec, Target(tiles.features.data() + static_cast<std::size_t>(block) * size, size),
                      Kokkos::subview(staging, std::make_pair(std::size_t{0}, size)));
    Kokkos::deep_copy(exec, Target(tiles.weights.data() + static_cast<std::size_t>(block) * block_rows, block_rows),
                      Kokkos::subview(staging, std::make_pair(size, size + block_rows)));
    exec.fence("thalweg::feature_tiles::pack");
  }
  return tiles;
}

#define THALWEG_PACK(Scalar, Space)                                       \
  template FeatureTiles<Scalar, Space> pack_feature_tiles<Scalar, Space>( \
      const Space&, std::span<const float>, std::int64_t, std::span<const double>, std::span<const double>);
THALWEG_INSTANTIATE(THALWEG_PACK)

}  // namespace thalweg
