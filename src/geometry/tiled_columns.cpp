// Passes down the columns of costs that are stored in tiles of rows alone.
#include <algorithm>
#include <cmath>

#include "geometry/tiled_geometry.hpp"
#include "kernels/host_rows.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/pair_columns_host.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t tiles_at_a_time = 64;  // of columns: as many sums a block of rows

std::span<const std::int64_t> piece_of(std::span<const std::int64_t> tiles, std::size_t begin) {
  return tiles.subspan(begin, std::min<std::size_t>(tiles_at_a_time, tiles.size() - begin));
}

}  // namespace

/// Sums of what blocks of rows add, in the order of the blocks of all ranks. @param add  (tile of rows, their sums)
template <class Scalar, class ExecutionSpace>
template <class Add>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::sums_over_rows(std::int64_t size, const Add& add) const {
  const std::int64_t tiles = PairOperands<Scalar>::tiles_of(rows().size());
  const std::int64_t blocks = (tiles + tiles_per_block - 1) / tiles_per_block;
  std::vector<double> partial(static_cast<std::size_t>(blocks * size), 0.0);
  for_each_row_on_host(blocks, [&](std::int64_t block) {
    const std::int64_t end = std::min<std::int64_t>(tiles, (block + 1) * tiles_per_block);
    for (std::int64_t tile = block * tiles_per_block; tile < end; ++tile) add(tile, partial.data() + block * size);
  });
  std::vector<double> sums(static_cast<std::size_t>(size), 0.0);
  const std::vector<double> all = context_.comm.all_gather(std::span<const double>(partial));
  for (std::size_t at = 0; at < all.size(); ++at) sums[at % sums.size()] += all[at];
  return sums;
}

/// Sums of alpha_i 2^s_ij over all rows for the columns of some tiles. @param pass  whose column biases are shifts
template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::sums_down(const Pass& pass,
                                                                     std::span<const std::int64_t> tiles,
                                                                     std::span<const Scalar> biases) const {
  const std::int64_t first = rows().begin / tile_rows;
  std::vector<double> sums;
  for (std::size_t begin = 0; begin < tiles.size(); begin += tiles_at_a_time) {
    const auto piece = piece_of(tiles, begin);
    const std::vector<double> part =
        sums_over_rows(static_cast<std::int64_t>(piece.size()) * tile_rows, [&](std::int64_t tile, double* to) {
          for (std::size_t p = 0; p < piece.size(); ++p)
            host::add_column_sums(pass.operands, first + tile, biases.data() + tile * tile_rows,
                                  alpha_.data() + (first + tile) * tile_rows,
                                  {piece[p] * tile_rows, (piece[p] + 1) * tile_rows}, to + p * tile_rows);
        });
    sums.insert(sums.end(), part.begin(), part.end());
  }
  return sums;
}

/// max_i s_ij over all rows, v = 0.
template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::maxima_down(const Pass& pass,
                                                                       std::span<const std::int64_t> tiles,
                                                                       std::span<const Scalar> biases) const {
  const std::int64_t first = rows().begin / tile_rows, of_rows = PairOperands<Scalar>::tiles_of(rows().size());
  std::vector<double> maxima(tiles.size() * tile_rows, no_bias);
  for_each_row_on_host(static_cast<std::int64_t>(tiles.size()), [&](std::int64_t p) {
    const std::int64_t column = tiles[static_cast<std::size_t>(p)] * tile_rows;
    for (std::int64_t tile = 0; tile < of_rows; ++tile)
      host::raise_column_maxima(pass.operands, first + tile, biases.data() + tile * tile_rows,
                                {column, column + tile_rows}, maxima.data() + p * tile_rows);
  });
  context_.comm.all_reduce(std::span<double>(maxima), Reduction::max);
  return {maxima.begin(), maxima.end()};
}

/// log2 sum_i alpha_i 2^(kappa score_ij + u_i) of all columns. @param biases  u of the owned rows, padded
template <class Scalar, class ExecutionSpace>
RowLogs TiledGeometry<Scalar, ExecutionSpace>::logs_down(std::vector<Scalar> biases,
                                                         std::span<const Scalar> shifts) const {
  struct Sums {
    const TiledGeometry& geometry;
    const std::vector<Scalar>& biases;
    std::vector<double> sums(std::span<const std::int64_t> tiles, std::span<const Scalar> of_tiles) const {
      std::vector<Scalar> of_columns(
          static_cast<std::size_t>(PairOperands<Scalar>::tiles_of(geometry.num_columns())) * tile_rows,
          Scalar(no_bias));
      for (std::size_t p = 0; p < tiles.size(); ++p)
        std::copy_n(of_tiles.begin() + static_cast<std::int64_t>(p) * tile_rows, tile_rows,
                    of_columns.begin() + tiles[p] * tile_rows);
      return geometry.sums_down(*geometry.row_pass(std::move(of_columns)), tiles, biases);
    }
    std::vector<Scalar> maxima(std::span<const std::int64_t> tiles) const {
      return geometry.maxima_down(*geometry.row_pass({}), tiles, biases);
    }
    bool is_called_for(bool here) const { return here; }
  };
  const std::int64_t first = rows().begin;
  for (std::size_t i = 0; i < biases.size(); ++i)
    if (!(alpha_[static_cast<std::size_t>(first) + i] > Scalar(0))) biases[i] = Scalar(no_bias);
  return row_logs_of(TileRange{0, PairOperands<Scalar>::tiles_of(num_columns())}, shifts, Sums{*this, biases});
}

/// P^T W for rows W that alpha is in. @param values  W, owned rows x width
template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::products_down(std::span<const double> f,
                                                                         std::span<const double> g,
                                                                         std::span<const double> values,
                                                                         std::int64_t width) const {
  const auto pass = row_pass(column_biases(g));
  const std::vector<Scalar> biases = row_biases(f);
  const std::int64_t first = rows().begin / tile_rows, m = num_columns(), most = tiles_at_a_time * tile_rows;
  std::vector<double> products;
  for (std::int64_t begin = 0; begin < m; begin += most) {
    const std::int64_t end = std::min(m, begin + most);
    const std::vector<double> part = sums_over_rows((end - begin) * width, [&](std::int64_t tile, double* to) {
      const std::int64_t at = tile * tile_rows, count = std::min<std::int64_t>(tile_rows, rows().size() - at);
      host::add_column_products(pass->operands, first + tile, biases.data() + at, values.data() + at * width, count,
                                width, {begin, end}, to);
    });
    products.insert(products.end(), part.begin(), part.end());
  }
  return products;
}

#define THALWEG_TILED_COLUMNS(Scalar, Space)                                                                    \
  template RowLogs TiledGeometry<Scalar, Space>::logs_down(std::vector<Scalar>, std::span<const Scalar>) const; \
  template std::vector<double> TiledGeometry<Scalar, Space>::products_down(                                     \
      std::span<const double>, std::span<const double>, std::span<const double>, std::int64_t) const;
THALWEG_INSTANTIATE(THALWEG_TILED_COLUMNS)

}  // namespace thalweg
