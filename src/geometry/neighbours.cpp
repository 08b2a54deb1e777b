#include "geometry/neighbours.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/nearest_neighbours.hpp"

namespace thalweg {

namespace {

[[noreturn]] void refuse_row(const OwnedPoints& points, std::int64_t local_row, const char* what, const char* allowed) {
  throw DataError(std::string(what) + " in row " + std::to_string(points.rows.begin + local_row) + " of " +
                  points.name + "; " + allowed + "; remove the cell or choose another key or metric");
}

/// Replaces a finite row by what |x - y|^2 measures the metric with.
void prepare_row(const OwnedPoints& points, Metric metric, std::int64_t local_row, std::span<double> row) {
  for (const double value : row)
    if (!std::isfinite(value))
      refuse_row(points, local_row, "a value that is not finite", "features are finite numbers");
  if (metric == Metric::euclidean) return;
  const auto [smallest, largest] = std::minmax_element(row.begin(), row.end());
  const double top = std::max(std::abs(*smallest), std::abs(*largest));
  if (metric == Metric::cosine && top == 0.0)
    refuse_row(points, local_row, "only zeros", "metric 'cosine' needs a direction");
  if (metric == Metric::correlation && *smallest == *largest)
    refuse_row(points, local_row, "equal values only", "metric 'correlation' needs values that vary");
  double mean = 0.0, squares = 0.0;
  for (double& value : row) mean += value /= top;
  mean = metric == Metric::correlation ? mean / static_cast<double>(row.size()) : 0.0;
  for (double& value : row) {
    value -= mean;
    squares += value * value;
  }
  for (double& value : row) value /= std::sqrt(squares);
}

std::vector<double> prepared_rows(const OwnedPoints& points, Metric metric) {
  std::vector<double> rows;
  std::visit([&](const auto& values) { rows.assign(values.begin(), values.end()); }, points.values);
  const auto d = static_cast<std::size_t>(points.dimension);
  for (std::int64_t i = 0; i < points.rows.size(); ++i)
    prepare_row(points, metric, i, std::span(rows).subspan(static_cast<std::size_t>(i) * d, d));
  return rows;
}

/// The power of two that takes all values to absolute values of at most 1.
double unit_of(const std::vector<double>& values) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.0, std::min(exponent, std::numeric_limits<double>::max_exponent - 1));
}

template <class Scalar, class ExecutionSpace>
class DeviceSearch final : public NeighbourSearch {
 public:
  DeviceSearch(const OwnedPoints& points, Metric metric, std::vector<double> all)
      : metric_(metric), rows_(points.rows), name_(points.name), unit_(unit_of(all)) {
    for (double& value : all) value /= unit_;
    points_ = pack_search_points<Scalar>(exec_, all, points.dimension);
  }

  std::int64_t num_points() const override { return points_.num_points; }
  RowRange rows() const override { return rows_; }
  const std::string& name() const override { return name_; }

  NeighbourTable nearest(std::int64_t k) const override {
    if (k < 2 || k >= num_points())
      throw DataError(std::to_string(k) + " neighbours (each cell counted) in the search among the " +
                      std::to_string(num_points()) + " cells of " + name_ + "; from 2 to " +
                      std::to_string(num_points() - 1) + " are possible; change the number of neighbours");
    std::vector<std::int32_t> queries(static_cast<std::size_t>(rows_.size()));
    std::iota(queries.begin(), queries.end(), static_cast<std::int32_t>(rows_.begin));
    return table(rows_, k - 1, nearest_neighbours(exec_, points_, std::span<const std::int32_t>(queries), k - 1));
  }

  NeighbourTable nearest_of_other_groups(std::span<const std::int32_t> queries,
                                         std::span<const std::int32_t> groups) const override {
    return table({0, static_cast<std::int64_t>(queries.size())}, 1,
                 nearest_neighbours(exec_, points_, queries, 1, groups));
  }

 private:
  NeighbourTable table(RowRange rows, std::int64_t count, NeighbourLists lists) const {
    for (double& distance : lists.squared_distances)
      distance = metric_ == Metric::euclidean ? std::sqrt(distance) * unit_ : 0.5 * distance * unit_ * unit_;
    return {num_points(), rows, count, std::move(lists.indices), std::move(lists.squared_distances)};
  }

  ExecutionSpace exec_;
  Metric metric_;
  RowRange rows_;
  std::string name_;
  double unit_;
  SearchPoints<Scalar, ExecutionSpace> points_;
};

template <class ExecutionSpace>
std::unique_ptr<NeighbourSearch> make_on(Precision precision, const OwnedPoints& points, Metric metric,
                                         std::vector<double> all) {
  if (precision == Precision::float64)
    return std::make_unique<DeviceSearch<double, ExecutionSpace>>(points, metric, std::move(all));
  return std::make_unique<DeviceSearch<float, ExecutionSpace>>(points, metric, std::move(all));
}

}  // namespace

std::unique_ptr<NeighbourSearch> make_neighbour_search(const Context& context, const OwnedPoints& points,
                                                       Metric metric) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (points.num_points < 2 || points.num_points > most || points.dimension < 1)
    throw DataError(std::to_string(points.num_points) + " cells x " + std::to_string(points.dimension) +
                    " features in " + points.name + "; neighbours need 2 to " + std::to_string(most) +
                    " cells and at least one feature; choose others");
  std::vector<double> owned;
  context.comm.on_all([&] { owned = prepared_rows(points, metric); });
  std::vector<double> all = context.comm.all_gather(std::span<const double>(owned));
  if (context.device == Device::cuda)
    return make_on<Kokkos::DefaultExecutionSpace>(context.precision, points, metric, std::move(all));
  return make_on<Kokkos::DefaultHostExecutionSpace>(context.precision, points, metric, std::move(all));
}

NeighbourTable gather_rows(const Communicator& comm, const NeighbourTable& owned) {
  return {owned.num_points,
          {0, owned.num_points},
          owned.num_neighbours,
          comm.all_gather(std::span<const std::int32_t>(owned.indices)),
          comm.all_gather(std::span<const double>(owned.distances))};
}

}  // namespace thalweg
