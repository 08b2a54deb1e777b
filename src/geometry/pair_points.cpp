#include "geometry/pair_points.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "geometry/given_points.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

std::string name_of(bool is_source) { return is_source ? "source" : "target"; }

/// Both sides as they were given, and the point that is to be their origin.
struct GivenSides {
  const PairSides& sides;
  GivenPoints source, target;
  std::vector<double> center;

  GivenSides(const Communicator& comm, const PairSides& given, const PointLayout& of_source,
             const PointLayout& of_target)
      : sides(given),
        source(comm, given.source, of_source),
        target(comm, given.target, of_target),
        center(static_cast<std::size_t>(given.source.dimension), 0.0) {
    if (given.cost != Cost::sq_euclidean && given.cost != Cost::euclidean) return;
    const std::vector<double> of_sources = middle_of(comm, of_source, source, given.source_weights);
    const std::vector<double> of_targets = middle_of(comm, of_target, target, given.target_weights);
    for (std::size_t k = 0; k < center.size(); ++k) center[k] = 0.5 * (of_sources[k] + of_targets[k]);
  }
};

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

/// Calls body(rows) for the held points of every tile, by all threads, which take whole pieces.
template <class Scalar, class Body>
void for_each_tile_of(const PackedPoints<Scalar>& points, const Body& body) {
  static_assert(piece_rows % tile_rows == 0);
  for_each_piece_on_host(points.held.size(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += tile_rows)
      body(RowRange{points.held.begin + first, points.held.begin + std::min<std::int64_t>(first + tile_rows, end)});
  });
}

template <class Scalar>
void set_norms(PackedPoints<Scalar>& points, double scale) {
  const double inverse = 1.0 / scale;
  points.norms.assign(static_cast<std::size_t>(points.held.size()), 0.0);
  for_each_tile_of(points, [&](RowRange rows) {
    const Scalar* features = points.at(rows.begin);
    double* norms = points.norms.data() + (rows.begin - points.held.begin);
    for (std::int64_t k = 0; k < points.dimension; ++k)
      for (std::int64_t i = 0; i < rows.size(); ++i) {
        const double value = static_cast<double>(features[k * tile_rows + i]) * inverse;
        norms[i] += value * value;
      }
  });
}

/// An empty side of the right shape.
template <class Scalar>
PackedPoints<Scalar> unfilled(const PairSides& sides, bool is_source, const PointLayout& layout, int rank) {
  const PointSet& from = is_source ? sides.source : sides.target;
  const std::span<const double> weights = is_source ? sides.source_weights : sides.target_weights;
  PackedPoints<Scalar> points;
  points.num_points = from.num_points;
  points.dimension = sides.cost == Cost::dense ? 0 : from.dimension;
  points.layout = layout;
  points.own = layout.own(rank);
  points.held = layout.held(rank);
  points.present.assign(static_cast<std::size_t>(from.num_points), 1);
  for (std::size_t i = 0; i < weights.size(); ++i) points.present[i] = weights[i] > 0.0;
  points.features = LineBuffer<Scalar>(points.size());
  std::fill_n(points.features.data(), points.size(), Scalar(0));
  return points;
}

/// Prepares some points of one side for their cost and rounds them.
template <class Scalar>
void fill_rows(const GivenSides& given, bool is_source, RowRange rows, PackedPoints<Scalar>& points) {
  const GivenPoints& from = is_source ? given.source : given.target;
  const Cost cost = given.sides.cost;
  const bool is_normalised = cost == Cost::cosine || cost == Cost::correlation;
  std::vector<double> point(static_cast<std::size_t>(points.dimension));
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = from.at(i, static_cast<std::int64_t>(k));
    check_finite(point, i, is_source);
    for (std::size_t k = 0; k < point.size(); ++k) point[k] -= given.center[k];
    const bool is_present = points.present[static_cast<std::size_t>(i)];
    if (is_normalised && !normalise(point, cost) && is_present) refuse_zero(cost, i, is_source);
    for (std::size_t k = 0; k < point.size(); ++k)
      points.at(i)[static_cast<std::int64_t>(k) * tile_rows] = static_cast<Scalar>(point[k]);
  }
}

/// All held points of one side. @throws DataError  for the first bad one, whichever a thread met
template <class Scalar>
void fill(const GivenSides& given, bool is_source, PackedPoints<Scalar>& points) {
  try {
    for_each_tile_of(points, [&](RowRange rows) { fill_rows(given, is_source, rows, points); });
  } catch (const DataError&) {
    fill_rows(given, is_source, points.held, points);
  }
  set_norms(points, 1.0);
}

/// Squared norms of all points.
template <class Scalar>
std::vector<double> all_norms(const Communicator& comm, const PackedPoints<Scalar>& points) {
  if (!points.layout.is_spread()) return points.norms;
  return comm.all_gather(std::span<const double>(points.norms).first(static_cast<std::size_t>(points.own.size())));
}

/// Packs both sides; what is wrong with the points of one rank ends all.
template <class Scalar>
void pack(const Communicator& comm, const PairSides& sides, std::int64_t part_columns, PairPoints<Scalar>& points) {
  const PointLayout of_source(sides.source.num_points, comm.size(), part_columns),
      of_target(sides.target.num_points, comm.size(), part_columns);
  points.source = unfilled<Scalar>(sides, true, of_source, comm.rank());
  points.target = unfilled<Scalar>(sides, false, of_target, comm.rank());
  const GivenSides given(comm, sides, of_source, of_target);
  const auto fill_both = [&] {
    fill(given, true, points.source);
    fill(given, false, points.target);
  };
  if (part_columns > 0) comm.on_all(fill_both);
  else fill_both();
  points.source_norms = all_norms(comm, points.source);
  points.target_norms = all_norms(comm, points.target);
}

/// @param entry  (row, column) -> C
template <class Scalar, class Entry>
SharedTiles<Scalar> tiles_of(std::int64_t rows, std::int64_t columns, const Entry& entry) {
  auto tiles = std::make_shared<CostTiles<Scalar>>(rows, columns);
  for_each_row_on_host(tiles->num_tiles(), [&](std::int64_t tile) {
    const std::int64_t begin = tile * tile_rows, end = std::min<std::int64_t>(rows, begin + tile_rows);
    for (std::int64_t j = 0; j < columns; ++j)
      for (std::int64_t i = begin; i < end; ++i) tiles->set_cost(i, j, static_cast<double>(entry(i, j)));
  });
  return tiles;
}

/// The owned columns of costs whose rows are spread over ranks: num_rows x owned, row-major.
template <class Scalar>
std::vector<Scalar> owned_columns(const Communicator& comm, const CostTiles<Scalar>& costs) {
  const Partition columns(costs.num_columns(), comm.size(), block_rows);
  std::vector<Scalar> send(static_cast<std::size_t>(costs.num_rows() * costs.num_columns()));
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < comm.size(); ++rank) {
    const RowRange part = columns.rows_of(rank);
    Scalar* to = send.data() + part.begin * costs.num_rows();
    counts.push_back(part.size() * costs.num_rows());
    for_each_row_on_host(costs.num_tiles(), [&](std::int64_t tile) {
      const std::int64_t begin = tile * tile_rows, end = std::min<std::int64_t>(costs.num_rows(), begin + tile_rows);
      for (std::int64_t j = part.begin; j < part.end; ++j)
        for (std::int64_t i = begin; i < end; ++i)
          to[i * part.size() + j - part.begin] = static_cast<Scalar>(costs.cost(i, j));
    });
  }
  std::vector<std::int64_t> received;
  return comm.all_to_all<Scalar>(send, counts, received);
}

template <class Scalar>
SharedTiles<Scalar> tiles_by_columns(const Communicator& comm, const CostTiles<Scalar>& costs, std::int64_t num_rows) {
  const std::int64_t own = Partition(costs.num_columns(), comm.size(), block_rows).rows_of(comm.rank()).size();
  const std::vector<Scalar> columns = owned_columns(comm, costs);
  return tiles_of<Scalar>(
      own, num_rows, [&](std::int64_t j, std::int64_t i) { return columns[static_cast<std::size_t>(i * own + j)]; });
}

/// The given tiles, or those of what was given row by row.
template <class Scalar>
SharedTiles<Scalar> tiles_by_rows(const DenseCosts& dense, std::int64_t rows, std::int64_t num_columns) {
  return std::visit(
      [&]<class Given>(const Given& given) -> SharedTiles<Scalar> {
        if constexpr (std::is_same_v<Given, SharedTiles<Scalar>>) return given;
        if constexpr (std::is_same_v<Given, std::span<const float>> || std::is_same_v<Given, std::span<const double>>)
          return tiles_of<Scalar>(rows, num_columns, [&](std::int64_t i, std::int64_t j) {
            return given[static_cast<std::size_t>(i * num_columns + j)];
          });
        assert(false && "tiles of another precision than that of the geometry");
        return nullptr;
      },
      dense);
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
PairPoints<Scalar> make_pair_points(const Communicator& comm, const PairSides& sides, std::int64_t part_columns,
                                    bool both_ways) {
  PairPoints<Scalar> points;
  points.cost = sides.cost;
  points.score = score_of(sides.cost);
  points.factor = sides.cost == Cost::sq_euclidean ? 2.0 : sides.cost == Cost::factored ? -1.0 : 1.0;
  const bool is_dense = sides.cost == Cost::dense;
  pack(comm, sides, is_dense ? 0 : part_columns, points);
  if (is_dense)
    points.dense_rows = tiles_by_rows<Scalar>(sides.dense, points.source.own.size(), points.target.num_points);
  if (is_dense && both_ways)
    points.dense_columns = tiles_by_columns(comm, *points.dense_rows, points.source.num_points);
  return points;
}

namespace {

/// The same points with other features: of(feature). Norms are those that were.
template <class To, class From, class Of>
PackedPoints<To> with_features(const PackedPoints<From>& from, const Of& of) {
  PackedPoints<To> to{from.num_points, from.dimension, from.layout, from.own, from.held, LineBuffer<To>(from.size()),
                      from.norms,      from.present};
  for_each_piece_on_host(from.size(), [&](std::int64_t begin, std::int64_t end) {
    std::transform(from.features.data() + begin, from.features.data() + end, to.features.data() + begin, of);
  });
  return to;
}

PackedPoints<double> widened(const PackedPoints<float>& from) {
  return with_features<double>(from, [](float value) { return static_cast<double>(value); });
}

SharedTiles<double> widened(const CostTiles<float>& from) {
  auto to = std::make_shared<CostTiles<double>>(from.num_rows(), from.num_columns());
  std::copy_n(from.data(), from.size(), to->data());
  return to;
}

}  // namespace

PairPoints<double> widened(const PairPoints<float>& from, bool for_device) {
  PairPoints<double> to;
  to.cost = from.cost;
  to.score = from.score;
  to.factor = from.factor;
  to.source = widened(from.source);
  to.target = widened(from.target);
  to.source_norms = from.source_norms;
  to.target_norms = from.target_norms;
  to.dense_floats = from.dense_rows;
  if (for_device && from.dense_rows) to.dense_rows = widened(*from.dense_rows);
  if (from.dense_columns) to.dense_columns = widened(*from.dense_columns);
  return to;
}

template <class Scalar>
PackedPoints<Scalar> scaled(const PackedPoints<Scalar>& points, double scale, bool is_float) {
  PackedPoints<Scalar> result = with_features<Scalar>(points, [&](Scalar feature) {
    const double value = scale * static_cast<double>(feature);
    return static_cast<Scalar>(is_float ? static_cast<double>(static_cast<float>(value)) : value);
  });
  set_norms(result, scale);
  return result;
}

#define THALWEG_PAIR_POINTS(Scalar)                                                                                \
  template PairPoints<Scalar> make_pair_points<Scalar>(const Communicator&, const PairSides&, std::int64_t, bool); \
  template PackedPoints<Scalar> scaled<Scalar>(const PackedPoints<Scalar>&, double, bool);
THALWEG_PAIR_POINTS(float)
THALWEG_PAIR_POINTS(double)

}  // namespace thalweg
