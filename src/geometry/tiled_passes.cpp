// Passes over all columns of a side, which are all here or pass this rank in parts.
#include <algorithm>

#include "distributed/ring.hpp"
#include "geometry/part_sums.hpp"
#include "geometry/tiled_geometry.hpp"
#include "kernels/instantiate.hpp"

namespace thalweg {

namespace {

/// The operands of a pass over some of its columns. @param features  of them
template <class Scalar>
PairOperands<Scalar> over_columns(PairOperands<Scalar> operands, RowRange columns, const Scalar* features) {
  operands.num_columns = columns.size();
  operands.columns = features;
  if (operands.column_norms) operands.column_norms += columns.begin;
  if (operands.column_bias) operands.column_bias += columns.begin;
  if (operands.column_weights) operands.column_weights += columns.begin;
  return operands;
}

template <class Value>
std::span<const Value> of_columns(std::span<const Value> values, RowRange columns, std::int64_t width = 1) {
  return values.subspan(static_cast<std::size_t>(columns.begin * width),
                        static_cast<std::size_t>(columns.size() * width));
}

/// Blocks pass in pieces of at most `most` points, so that what is on its way stays small beside what is held.
std::int64_t num_pieces(const PointLayout& layout, std::int64_t most) {
  std::int64_t count = 0;
  for (int rank = 0; rank < layout.num_ranks(); ++rank)
    count = std::max(count, (layout.block(rank).size() + most - 1) / most);
  return count;
}

std::vector<RowRange> pieces_of(const PointLayout& layout, std::int64_t most, std::int64_t piece) {
  std::vector<RowRange> pieces;
  for (int rank = 0; rank < layout.num_ranks(); ++rank) {
    const RowRange block = layout.block(rank);
    const std::int64_t begin = std::min(block.end, block.begin + piece * most);
    pieces.push_back({begin, std::min(block.end, begin + most)});
  }
  return pieces;
}

std::size_t rows_of(std::size_t num_tiles) { return num_tiles * tile_rows; }

}  // namespace

/// Calls use(operands, columns) for parts of the columns that make up all of them.
template <class Scalar, class ExecutionSpace>
template <class Use>
void TiledGeometry<Scalar, ExecutionSpace>::for_each_part(const Pass& pass, const Use& use) const {
  const PackedPoints<Scalar>& points = *pass.columns->points;
  if (!points.layout.is_spread()) return use(pass.operands, RowRange{0, points.num_points});
  const std::int64_t part_bytes = part_columns * points.dimension * static_cast<std::int64_t>(sizeof(Scalar));
  const std::int64_t most =
      part_columns * std::max<std::int64_t>(1, passed_bytes / std::max<std::int64_t>(1, part_bytes));
  for (std::int64_t piece = 0; piece < num_pieces(points.layout, most); ++piece)
    for_each_passing(pass, pieces_of(points.layout, most, piece), use);
}

/// The same for the columns of one piece of every rank's block, which pass together.
template <class Scalar, class ExecutionSpace>
template <class Use>
void TiledGeometry<Scalar, ExecutionSpace>::for_each_passing(const Pass& pass, const std::vector<RowRange>& pieces,
                                                             const Use& use) const {
  const PackedPoints<Scalar>& points = *pass.columns->points;
  std::vector<std::int64_t> sizes;
  for (const RowRange& piece : pieces)
    sizes.push_back(PairOperands<Scalar>::tiles_of(piece.size()) * tile_rows * points.dimension);
  const auto rank = static_cast<std::size_t>(context_.comm.rank());
  const Scalar* first = pieces[rank].size() > 0 ? points.at(pieces[rank].begin) : nullptr;
  const std::span<const Scalar> own(first, static_cast<std::size_t>(sizes[rank]));
  pass_around(context_.comm, own, std::span<const std::int64_t>(sizes),
              [&](int owner, std::span<const Scalar> values, Exchange* next) {
                const RowRange columns = pieces[static_cast<std::size_t>(owner)];
                const Copy features = copied(values.data(), static_cast<std::int64_t>(values.size()));
                for (std::int64_t begin = columns.begin; begin < columns.end; begin += part_columns) {
                  const RowRange part{begin, std::min(begin + part_columns, columns.end)};
                  const Scalar* of_part = features.data() + (begin - columns.begin) * points.dimension;
                  use(over_columns(pass.operands, part, of_part), part);
                  if (next) next->advance();
                }
              });
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::shifted_sums(const Pass& pass,
                                                                        std::span<const std::int64_t> tiles,
                                                                        std::span<const Scalar> shifts) const {
  PartSums sums(rows_of(tiles.size()));
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange) {
    sums.add(pair_row_sums(exec_, operands, tiles, shifts, pool_));
  });
  return std::move(sums).values();
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::row_maxima(const Pass& pass,
                                                                      std::span<const std::int64_t> tiles) const {
  std::vector<Scalar> maxima(rows_of(tiles.size()), Scalar(no_bias));
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange) {
    const std::vector<Scalar> part = pair_row_maxima(exec_, operands, tiles, pool_);
    for (std::size_t i = 0; i < part.size(); ++i) maxima[i] = std::max(maxima[i], part[i]);
  });
  return maxima;
}

template <class Scalar, class ExecutionSpace>
RowLogs TiledGeometry<Scalar, ExecutionSpace>::row_logs(const Pass& pass, std::span<const Scalar> shifts) const {
  struct Sums {
    const TiledGeometry& geometry;
    const Pass& pass;
    std::vector<double> sums(std::span<const std::int64_t> tiles, std::span<const Scalar> of_tiles) const {
      return geometry.shifted_sums(pass, tiles, of_tiles);
    }
    std::vector<Scalar> maxima(std::span<const std::int64_t> tiles) const { return geometry.row_maxima(pass, tiles); }
    bool is_called_for(bool here) const { return geometry.is_ring() ? geometry.context_.comm.any(here) : here; }
  };
  return row_logs_of(pass.tiles, shifts, Sums{*this, pass});
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::row_moments(const Pass& pass, std::span<const Scalar> shifts,
                                                                       std::span<const Scalar> column_logs) const {
  PartSums sums(3 * rows_of(static_cast<std::size_t>(pass.tiles.count)));
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange columns) {
    const std::int64_t padded = PairOperands<Scalar>::tiles_of(columns.size()) * tile_rows;
    sums.add(pair_row_moments(exec_, operands, pass.tiles, shifts,
                              of_columns(column_logs, {columns.begin, columns.begin + padded}), pool_));
  });
  return std::move(sums).values();
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::row_costs(const Pass& pass,
                                                                     std::span<const Scalar> shifts) const {
  PartSums sums(2 * rows_of(static_cast<std::size_t>(pass.tiles.count)));
  std::vector<double> maxima;
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange) {
    std::vector<double> part = pair_row_costs(exec_, operands, pass.tiles, shifts, pool_);
    maxima.resize(part.size() / 2, -INFINITY);
    for (std::size_t i = 0; i < maxima.size(); ++i) maxima[i] = std::max(maxima[i], part[2 * i + 1]);
    sums.add(std::move(part));
  });
  std::vector<double> costs = std::move(sums).values();
  for (std::size_t i = 0; i < maxima.size(); ++i) costs[2 * i + 1] = maxima[i];
  return costs;
}

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> TiledGeometry<Scalar, ExecutionSpace>::cost_counts(const Pass& pass,
                                                                             std::span<const Scalar> shifts,
                                                                             RadixDigit digit) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(digit.num_digits()), 0);
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange) {
    const std::vector<std::int64_t> part = pair_cost_counts(exec_, operands, pass.tiles, shifts, digit, pool_);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += part[i];
  });
  return counts;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::products(const Pass& pass, std::span<const Scalar> shifts,
                                                                    std::span<const double> values,
                                                                    std::int64_t width) const {
  PartSums sums(rows_of(static_cast<std::size_t>(pass.tiles.count)) * static_cast<std::size_t>(width));
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange columns) {
    sums.add(pair_apply(exec_, operands, pass.tiles, shifts, of_columns(values, columns, width), width, pool_));
  });
  return std::move(sums).values();
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::scores(const Pass& pass, RowRange global_rows) const {
  const std::int64_t first = global_rows.begin - points_->source.held.begin, m = num_columns();
  std::vector<double> all;
  for_each_part(pass, [&](const PairOperands<Scalar>& operands, RowRange columns) {
    std::vector<double> part = pair_scores(exec_, operands, first, global_rows.size());
    if (columns.size() == m) {
      all = std::move(part);
      return;
    }
    all.resize(static_cast<std::size_t>(global_rows.size() * m));
    for (std::int64_t i = 0; i < global_rows.size(); ++i)
      std::copy_n(part.begin() + i * columns.size(), columns.size(), all.begin() + i * m + columns.begin);
  });
  return all;
}

#define THALWEG_TILED_PASSES(Scalar, Space)                                                                          \
  template RowLogs TiledGeometry<Scalar, Space>::row_logs(const Pass&, std::span<const Scalar>) const;               \
  template std::vector<double> TiledGeometry<Scalar, Space>::row_moments(const Pass&, std::span<const Scalar>,       \
                                                                         std::span<const Scalar>) const;             \
  template std::vector<double> TiledGeometry<Scalar, Space>::row_costs(const Pass&, std::span<const Scalar>) const;  \
  template std::vector<std::int64_t> TiledGeometry<Scalar, Space>::cost_counts(const Pass&, std::span<const Scalar>, \
                                                                               RadixDigit) const;                    \
  template std::vector<double> TiledGeometry<Scalar, Space>::products(const Pass&, std::span<const Scalar>,          \
                                                                      std::span<const double>, std::int64_t) const;  \
  template std::vector<double> TiledGeometry<Scalar, Space>::scores(const Pass&, RowRange) const;
THALWEG_INSTANTIATE(THALWEG_TILED_PASSES)

}  // namespace thalweg
