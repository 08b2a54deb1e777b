#include "geometry/pair_points.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

std::string name_of(bool is_source) { return is_source ? "source" : "target"; }

/// Coordinate k of point i.
double coordinate(const PointSet& points, std::int64_t i, std::int64_t k) {
  const auto at = static_cast<std::size_t>(i * points.dimension + k);
  return std::visit([&](auto values) { return static_cast<double>(values[at]); }, points.values);
}

double weight_of(std::span<const double> weights, std::int64_t i) {
  return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(i)];
}

void add_mean(const PointSet& points, std::span<const double> weights, std::vector<double>& center) {
  std::vector<double> sum(center.size(), 0.0);
  double total = 0.0;
  for (std::int64_t i = 0; i < points.num_points; ++i) {
    const double weight = weight_of(weights, i);
    total += weight;
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += weight * coordinate(points, i, static_cast<std::int64_t>(k));
  }
  if (total > 0.0)
    for (std::size_t k = 0; k < sum.size(); ++k) center[k] += 0.5 * sum[k] / total;
}

std::vector<double> center_of(const PairSides& sides) {
  std::vector<double> center(static_cast<std::size_t>(sides.source.dimension), 0.0);
  if (sides.cost != Cost::sq_euclidean && sides.cost != Cost::euclidean) return center;
  add_mean(sides.source, sides.source_weights, center);
  add_mean(sides.target, sides.target_weights, center);
  return center;
}

void check_finite(const std::vector<double>& point, std::int64_t row, bool is_source) {
  if (std::all_of(point.begin(), point.end(), [](double value) { return std::isfinite(value); })) return;
  throw DataError("a coordinate that is not finite in row " + std::to_string(row) + " of the " + name_of(is_source) +
                  " points; coordinates must be finite numbers; remove the point or repair its features");
}

/// Divides a point by its norm, for correlation after centring it; false where it is zero.
bool normalise(std::vector<double>& point, Cost cost) {
  if (cost == Cost::correlation) {
    double mean = 0.0;
    for (const double value : point) mean += value / static_cast<double>(point.size());
    for (double& value : point) value -= mean;
  }
  double norm = 0.0, largest = 0.0;
  for (const double value : point) largest = std::max(largest, std::abs(value));
  for (double& value : point) norm += largest > 0.0 ? (value / largest) * (value / largest) : 0.0;
  if (!(norm > 0.0)) return false;
  for (double& value : point) value /= largest * std::sqrt(norm);
  return true;
}

[[noreturn]] void refuse_zero(Cost cost, std::int64_t row, bool is_source) {
  const bool is_cosine = cost == Cost::cosine;
  throw DataError(std::string(is_cosine ? "a zero vector" : "a constant vector") + " in row " + std::to_string(row) +
                  " of the " + name_of(is_source) + " points; the cost '" + (is_cosine ? "cosine" : "correlation") +
                  "' divides by its norm; remove the point or choose the cost 'sq_euclidean'");
}

template <class Scalar>
void set_norms(PackedPoints<Scalar>& points, double scale) {
  const double inverse = 1.0 / scale;
  points.norms.assign(static_cast<std::size_t>(points.num_points), 0.0);
  for (std::int64_t i = 0; i < points.num_points; ++i) {
    const Scalar* at = points.features.data() + i / tile_rows * points.dimension * tile_rows + i % tile_rows;
    double sum = 0.0;
    for (std::int64_t k = 0; k < points.dimension; ++k) {
      const double value = static_cast<double>(at[k * tile_rows]) * inverse;
      sum += value * value;
    }
    points.norms[static_cast<std::size_t>(i)] = sum;
  }
}

template <class Scalar>
PackedPoints<Scalar> pack(const PairSides& sides, bool is_source, const std::vector<double>& center) {
  const PointSet& from = is_source ? sides.source : sides.target;
  const std::span<const double> weights = is_source ? sides.source_weights : sides.target_weights;
  PackedPoints<Scalar> points;
  points.num_points = from.num_points;
  points.dimension = sides.cost == Cost::dense ? 0 : from.dimension;
  points.features = LineBuffer<Scalar>(points.size());
  std::fill_n(points.features.data(), points.size(), Scalar(0));
  const bool is_normalised = sides.cost == Cost::cosine || sides.cost == Cost::correlation;
  std::vector<double> point(static_cast<std::size_t>(points.dimension));
  for (std::int64_t i = 0; i < from.num_points; ++i) {
    points.present.push_back(weight_of(weights, i) > 0.0);
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = coordinate(from, i, static_cast<std::int64_t>(k));
    check_finite(point, i, is_source);
    for (std::size_t k = 0; k < point.size(); ++k) point[k] -= center[k];
    if (is_normalised && !normalise(point, sides.cost) && points.present.back()) refuse_zero(sides.cost, i, is_source);
    Scalar* to = points.features.data() + i / tile_rows * points.dimension * tile_rows + i % tile_rows;
    for (std::size_t k = 0; k < point.size(); ++k) to[k * tile_rows] = static_cast<Scalar>(point[k]);
  }
  set_norms(points, 1.0);
  return points;
}

/// Tiles of -C for `rows` of a row-major matrix of `columns` columns: (tile, column, row), padded with -C = 0.
template <class Scalar, class Entry>
LineBuffer<Scalar> dense_tiles(std::int64_t rows, std::int64_t columns, Entry&& entry) {
  const std::int64_t padded = PairOperands<Scalar>::tiles_of(columns) * tile_rows;
  const std::int64_t size = PairOperands<Scalar>::tiles_of(rows) * padded * tile_rows;
  LineBuffer<Scalar> tiles(size);
  std::fill_n(tiles.data(), size, Scalar(0));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      tiles.data()[(i / tile_rows * padded + j) * tile_rows + i % tile_rows] = static_cast<Scalar>(-entry(i, j));
  return tiles;
}

/// The owned columns of the matrix whose rows are spread over ranks: num_rows x owned, row-major.
template <class Value>
std::vector<Value> owned_columns(const Communicator& comm, const PairSides& sides, std::span<const Value> dense,
                                 RowRange rows) {
  const Partition columns(sides.target.num_points, comm.size(), block_rows);
  std::vector<Value> send;
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < comm.size(); ++rank) {
    const RowRange part = columns.rows_of(rank);
    counts.push_back(part.size() * rows.size());
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      const auto row = dense.subspan(static_cast<std::size_t>(i * sides.target.num_points + part.begin),
                                     static_cast<std::size_t>(part.size()));
      send.insert(send.end(), row.begin(), row.end());
    }
  }
  std::vector<std::int64_t> received;
  return comm.all_to_all<Value>(send, counts, received);
}

/// Both ways through the stored costs, in the tiles of `points`.
template <class Scalar, class Value>
void pack_dense(const Communicator& comm, const PairSides& sides, std::span<const Value> dense,
                PairPoints<Scalar>& points) {
  const std::int64_t m = sides.target.num_points, n = sides.source.num_points, own = points.columns.size();
  points.dense_rows = dense_tiles<Scalar>(points.rows.size(), m, [&](std::int64_t i, std::int64_t j) {
    return dense[static_cast<std::size_t>(i * m + j)];
  });
  const std::vector<Value> columns = owned_columns(comm, sides, dense, points.rows);
  points.dense_columns = dense_tiles<Scalar>(
      own, n, [&](std::int64_t j, std::int64_t i) { return columns[static_cast<std::size_t>(i * own + j)]; });
}

PairScore score_of(Cost cost) {
  switch (cost) {
    case Cost::euclidean:
      return PairScore::euclidean;
    case Cost::manhattan:
      return PairScore::manhattan;
    case Cost::dense:
      return PairScore::dense;
    default:
      return PairScore::dot;
  }
}

}  // namespace

template <class Scalar>
PairPoints<Scalar> make_pair_points(const Communicator& comm, const PairSides& sides) {
  PairPoints<Scalar> points;
  points.cost = sides.cost;
  points.score = score_of(sides.cost);
  points.factor = sides.cost == Cost::sq_euclidean ? 2.0 : sides.cost == Cost::factored ? -1.0 : 1.0;
  const std::vector<double> center = center_of(sides);
  points.source = pack<Scalar>(sides, true, center);
  points.target = pack<Scalar>(sides, false, center);
  points.rows = Partition(points.source.num_points, comm.size(), block_rows).rows_of(comm.rank());
  points.columns = Partition(points.target.num_points, comm.size(), block_rows).rows_of(comm.rank());
  if (sides.cost == Cost::dense)
    std::visit([&](const auto& dense) { pack_dense(comm, sides, dense, points); }, sides.dense);
  return points;
}

namespace {

LineBuffer<double> widened(const LineBuffer<float>& from, std::int64_t size) {
  LineBuffer<double> to(size);
  std::copy_n(from.data(), size, to.data());
  return to;
}

PackedPoints<double> widened(const PackedPoints<float>& from) {
  return {from.num_points, from.dimension, widened(from.features, from.size()), from.norms, from.present};
}

std::int64_t dense_size(std::int64_t rows, std::int64_t columns) {
  return PairOperands<float>::tiles_of(rows) * PairOperands<float>::tiles_of(columns) * tile_rows * tile_rows;
}

}  // namespace

PairPoints<double> widened(const PairPoints<float>& from) {
  PairPoints<double> to;
  to.cost = from.cost;
  to.score = from.score;
  to.factor = from.factor;
  to.source = widened(from.source);
  to.target = widened(from.target);
  to.rows = from.rows;
  to.columns = from.columns;
  if (from.cost == Cost::dense) {
    to.dense_rows = widened(from.dense_rows, dense_size(from.rows.size(), from.target.num_points));
    to.dense_columns = widened(from.dense_columns, dense_size(from.columns.size(), from.source.num_points));
  }
  return to;
}

template <class Scalar>
PackedPoints<Scalar> scaled(const PackedPoints<Scalar>& points, double scale, bool is_float) {
  PackedPoints<Scalar> result = points;
  for (std::int64_t i = 0; i < points.size(); ++i) {
    const double value = scale * static_cast<double>(points.features.data()[i]);
    result.features.data()[i] = static_cast<Scalar>(is_float ? static_cast<double>(static_cast<float>(value)) : value);
  }
  set_norms(result, scale);
  return result;
}

#define THALWEG_PAIR_POINTS(Scalar)                                                            \
  template PairPoints<Scalar> make_pair_points<Scalar>(const Communicator&, const PairSides&); \
  template PackedPoints<Scalar> scaled<Scalar>(const PackedPoints<Scalar>&, double, bool);
THALWEG_PAIR_POINTS(float)
THALWEG_PAIR_POINTS(double)

}  // namespace thalweg
