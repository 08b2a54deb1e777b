#include "geometry/tiled_geometry.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "kernels/host_rows.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/pair_logs.hpp"
#include "kernels/turned_tiles.hpp"

namespace thalweg {

namespace {

std::int64_t padded(std::int64_t points) { return PairOperands<float>::tiles_of(points) * tile_rows; }

template <class Scalar>
std::vector<Scalar> padded_as(const std::vector<double>& values) {
  std::vector<Scalar> result(static_cast<std::size_t>(padded(static_cast<std::int64_t>(values.size()))), Scalar(0));
  std::transform(values.begin(), values.end(), result.begin(), [](double value) { return static_cast<Scalar>(value); });
  return result;
}

/// `begin` values further on; null stays null.
template <class Scalar>
const Scalar* from(const Scalar* values, std::int64_t begin) {
  return values ? values + begin : nullptr;
}

}  // namespace

template <class Scalar, class ExecutionSpace>
DeviceCopy<Scalar, ExecutionSpace>::DeviceCopy(const ExecutionSpace& exec, const DevicePool<ExecutionSpace>& pool,
                                               const Scalar* values, std::int64_t size) {
  if constexpr (is_host<ExecutionSpace>) {
    data_ = values;
  } else {
    copy_ = pool.copy(exec, std::span<const Scalar>(values, static_cast<std::size_t>(size)));
    data_ = copy_.data();
  }
}

template <class Scalar, class ExecutionSpace>
TiledGeometry<Scalar, ExecutionSpace>::TiledGeometry(const Context& context,
                                                     std::shared_ptr<const PairPoints<Scalar>> points,
                                                     EvaluationForm form, bool is_float)
    : context_(context), form_(form), is_float_(is_float), points_(std::move(points)) {
  set_log2_reference(std::vector<double>(static_cast<std::size_t>(num_rows()), 0.0),
                     std::vector<double>(static_cast<std::size_t>(num_columns()), 0.0));
  source_ = make_side(points_->source, points_->source_norms);
  target_ = make_side(points_->target, points_->target_norms);
  if (points_->dense_rows) dense_rows_ = copied(points_->dense_rows->data(), points_->dense_rows->size());
  if (points_->dense_columns) dense_columns_ = copied(points_->dense_columns->data(), points_->dense_columns->size());
  else if (points_->dense_rows && !is_host<ExecutionSpace>) dense_columns_ = turned_rows();
  rescale();
}

/// The stored costs, all of whose rows are here, in the order of columns.
template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::turned_rows() const -> Copy {
  assert(context_.comm.size() == 1);
  const CostTiles<Scalar>& rows = *points_->dense_rows;
  const auto columns = pool_.template values<Scalar>(exec_, rows.size());
  turn_tiles(exec_, dense_rows_.data(), rows.num_tiles(), PairOperands<Scalar>::tiles_of(rows.num_columns()),
             columns.data());
  return Copy(columns);
}

template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::make_side(const PackedPoints<Scalar>& points,
                                                      const std::vector<double>& norms) const -> Side {
  Side side;
  side.points = &points;
  side.features = copied(points.features.data(), points.size());
  if (points_->score != PairScore::euclidean) return side;
  side.norms = padded_as<Scalar>(norms);
  side.norms_copy = copied(side.norms.data(), static_cast<std::int64_t>(side.norms.size()));
  return side;
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::rescale() {
  kappa_ = std::numbers::log2e / (epsilon_ * scale_);
  if (is_dot()) {
    scaled_source_ = scaled(points_->source, points_->factor * kappa_, is_float_);
    source_ = make_side(scaled_source_, {});
  } else if (is_float_) {
    kappa_ = static_cast<double>(static_cast<float>(kappa_));
  }
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_scale(double divisor) {
  if (divisor == scale_) return;
  scale_ = divisor;
  rescale();
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_epsilon(double epsilon) {
  if (epsilon == epsilon_) return;
  epsilon_ = epsilon;
  rescale();
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_reference(std::span<const double> log_alpha,
                                                          std::span<const double> log_beta) {
  const auto base_2 = [](std::span<const double> logs) {
    std::vector<double> result(logs.begin(), logs.end());
    for (double& value : result) value *= std::numbers::log2e;
    return result;
  };
  set_log2_reference(base_2(log_alpha), base_2(log_beta));
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_log2_reference(std::vector<double> log2_alpha,
                                                               std::vector<double> log2_beta) {
  log2_alpha_ = std::move(log2_alpha);
  log2_beta_ = std::move(log2_beta);
  alpha_.assign(static_cast<std::size_t>(padded(num_rows())), Scalar(0));
  for_each_piece_on_host(num_rows(), [&](std::int64_t begin, std::int64_t end) {
    std::transform(log2_alpha_.begin() + begin, log2_alpha_.begin() + end, alpha_.begin() + begin,
                   [](double log) { return static_cast<Scalar>(std::exp2(log)); });
  });
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::restore(double scale, double epsilon, std::vector<double> log2_alpha,
                                                    std::vector<double> log2_beta) {
  scale_ = scale;
  epsilon_ = epsilon;
  set_log2_reference(std::move(log2_alpha), std::move(log2_beta));
  rescale();
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::source_part(std::int64_t i) const {
  if (points_->cost == Cost::sq_euclidean) return kappa_ * scaled_source_.norm(i);
  return kappa_ * points_->source_part(i);
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::row_bias(std::int64_t i, double f) const {
  return std::numbers::log2e / epsilon_ * f - source_part(i);
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::column_bias(std::int64_t j, double g) const {
  return std::numbers::log2e / epsilon_ * g - kappa_ * points_->target_part(j) +
         log2_beta_[static_cast<std::size_t>(j)];
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::potential_of(std::int64_t i, Scalar bias) const {
  const double value = static_cast<double>(bias);
  if (!takes_part(value)) return -INFINITY;
  if (!takes_part(-value)) return INFINITY;
  return (value + source_part(i)) * epsilon_ / std::numbers::log2e;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::representable(std::span<const double> g) const {
  std::vector<double> nearest(g.begin(), g.end());
  if constexpr (sizeof(Scalar) == sizeof(float))
    for_each_point_on_host(nearest.size(), [&](std::size_t j) {
      const auto bias = column_bias(static_cast<std::int64_t>(j), g[j]);
      const auto rounded = static_cast<double>(static_cast<Scalar>(bias));
      if (std::isfinite(rounded)) nearest[j] += (rounded - bias) * epsilon_ / std::numbers::log2e;
    });
  return nearest;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::row_biases(std::span<const double> f) const {
  std::vector<Scalar> biases(static_cast<std::size_t>(padded(rows().size())), Scalar(no_bias));
  for_each_point_on_host(f.size(), [&](std::size_t i) {
    biases[i] = bounded_bias<Scalar>(row_bias(rows().begin + static_cast<std::int64_t>(i), f[i]));
  });
  return biases;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::column_biases(std::span<const double> g) const {
  std::vector<Scalar> biases(static_cast<std::size_t>(padded(num_columns())), Scalar(no_bias));
  for_each_point_on_host(g.size(), [&](std::size_t j) {
    const bool is_absent = log2_beta_[j] == -INFINITY;  // whatever its g
    biases[j] = is_absent ? Scalar(no_bias) : bounded_bias<Scalar>(column_bias(static_cast<std::int64_t>(j), g[j]));
  });
  return biases;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::all_rows(std::span<const Scalar> owned) const {
  std::vector<Scalar> all = context_.comm.all_gather(owned.first(static_cast<std::size_t>(rows().size())));
  all.resize(static_cast<std::size_t>(padded(num_rows())), Scalar(no_bias));
  return all;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::owned_columns(const std::vector<Scalar>& biases) const {
  const RowRange own = points_->target.own;
  return {biases.begin() + own.begin, biases.begin() + own.begin + padded(own.size())};
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::owned_alpha() const {
  std::vector<double> alpha(static_cast<std::size_t>(padded(rows().size())), 0.0);
  const double* logs = log2_alpha_.data() + rows().begin;
  for_each_point_on_host(static_cast<std::size_t>(rows().size()),
                         [&](std::size_t i) { alpha[i] = std::exp2(logs[i]); });
  return alpha;
}

template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::make_pass(const Side& rows, const Side& columns, std::vector<Scalar> biases,
                                                      std::vector<Scalar> weights) const -> std::unique_ptr<Pass> {
  auto pass = std::make_unique<Pass>();
  pass->columns = &columns;
  pass->bias = std::move(biases);
  pass->weights = std::move(weights);
  pass->bias_copy = copied(pass->bias.data(), static_cast<std::int64_t>(pass->bias.size()));
  if (!pass->weights.empty())
    pass->weights_copy = copied(pass->weights.data(), static_cast<std::int64_t>(pass->weights.size()));
  const PackedPoints<Scalar>& owned = *rows.points;
  pass->tiles = {owned.first_own_tile(), PairOperands<Scalar>::tiles_of(owned.own.size())};
  const bool is_over_columns = &rows == &target_;
  pass->operands = {points_->score,
                    owned.dimension,
                    columns.points->num_points,
                    is_dot() ? Scalar(1) : static_cast<Scalar>(kappa_),
                    rows.features.data(),
                    columns.features.data(),
                    from(rows.norms_copy.data(), owned.held.begin),
                    columns.norms_copy.data(),
                    pass->bias_copy.data(),
                    pass->weights_copy.data(),
                    is_over_columns ? dense_columns_.data() : dense_rows_.data(),
                    pass->tiles.first};
  if (is_host<ExecutionSpace> && points_->dense_floats) pass->operands.dense_floats = points_->dense_floats->data();
  return pass;
}

template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::row_pass(std::vector<Scalar> biases) const -> std::unique_ptr<Pass> {
  return make_pass(source_, target_, std::move(biases), {});
}

template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::column_pass(std::vector<Scalar> biases, std::vector<Scalar> weights) const
    -> std::unique_ptr<Pass> {
  return make_pass(target_, source_, std::move(biases), std::move(weights));
}

template <class Scalar, class ExecutionSpace>
std::unique_ptr<PairGeometry> TiledGeometry<Scalar, ExecutionSpace>::in_float64() const {
  std::shared_ptr<const PairPoints<double>> points;
  if constexpr (sizeof(Scalar) == sizeof(double)) points = points_;
  else points = std::make_shared<const PairPoints<double>>(widened(*points_, !is_host<ExecutionSpace>));
  auto result = std::make_unique<TiledGeometry<double, ExecutionSpace>>(context_, points, form_, is_float_);
  result->restore(scale_, epsilon_, log2_alpha_, log2_beta_);
  return result;
}

#define THALWEG_TILED_GEOMETRY(Scalar, Space) \
  template class DeviceCopy<Scalar, Space>;   \
  template class TiledGeometry<Scalar, Space>;
THALWEG_INSTANTIATE(THALWEG_TILED_GEOMETRY)

}  // namespace thalweg
