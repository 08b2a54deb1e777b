#include "geometry/tiled_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/instantiate.hpp"
#include "kernels/pair_logs.hpp"

namespace thalweg {

namespace {

std::int64_t padded(std::int64_t points) { return PairOperands<float>::tiles_of(points) * tile_rows; }

TileRange tiles_of(RowRange rows) { return {rows.begin / tile_rows, PairOperands<float>::tiles_of(rows.size())}; }

template <class Scalar>
std::vector<Scalar> norms_of(const PackedPoints<Scalar>& points) {
  std::vector<Scalar> norms(static_cast<std::size_t>(padded(points.num_points)), Scalar(0));
  std::transform(points.norms.begin(), points.norms.end(), norms.begin(),
                 [](double norm) { return static_cast<Scalar>(norm); });
  return norms;
}

}  // namespace

template <class Scalar, class ExecutionSpace>
DeviceCopy<Scalar, ExecutionSpace>::DeviceCopy(const ExecutionSpace& exec, const Scalar* values, std::int64_t size) {
  using Memory = typename ExecutionSpace::memory_space;
  if constexpr (Kokkos::SpaceAccessibility<Kokkos::HostSpace, Memory>::accessible) {
    data_ = values;
  } else {
    using Host = Kokkos::View<const Scalar*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
    copy_ = decltype(copy_)(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::pair_points"),
                            static_cast<std::size_t>(size));
    Kokkos::deep_copy(exec, copy_, Host(values, static_cast<std::size_t>(size)));
    exec.fence("thalweg::tiled_geometry::copy");
    data_ = copy_.data();
  }
}

template <class Scalar, class ExecutionSpace>
TiledGeometry<Scalar, ExecutionSpace>::TiledGeometry(const Context& context,
                                                     std::shared_ptr<const PairPoints<Scalar>> points,
                                                     EvaluationForm form, bool is_float)
    : context_(context),
      form_(form),
      is_float_(is_float),
      points_(std::move(points)),
      log2_alpha_(static_cast<std::size_t>(num_rows()), 0.0),
      log2_beta_(static_cast<std::size_t>(num_columns()), 0.0) {
  target_copy_ = Copy(exec_, points_->target.features.data(), points_->target.size());
  if (!is_dot()) source_copy_ = Copy(exec_, points_->source.features.data(), points_->source.size());
  if (points_->score == PairScore::euclidean) {
    source_norms_ = norms_of(points_->source);
    target_norms_ = norms_of(points_->target);
    source_norms_copy_ = Copy(exec_, source_norms_.data(), static_cast<std::int64_t>(source_norms_.size()));
    target_norms_copy_ = Copy(exec_, target_norms_.data(), static_cast<std::int64_t>(target_norms_.size()));
  }
  if (points_->score == PairScore::dense) {
    dense_rows_ = Copy(exec_, points_->dense_rows.data(), padded(points_->rows.size()) * padded(num_columns()));
    dense_columns_ = Copy(exec_, points_->dense_columns.data(), padded(points_->columns.size()) * padded(num_rows()));
  }
  rescale();
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::rescale() {
  kappa_ = std::numbers::log2e / (epsilon_ * scale_);
  if (is_dot()) {
    source_ = scaled(points_->source, points_->factor * kappa_, is_float_);
    source_copy_ = Copy(exec_, source_.features.data(), source_.size());
  } else if (is_float_) {
    kappa_ = static_cast<double>(static_cast<float>(kappa_));
  }
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_scale(double divisor) {
  scale_ = divisor;
  rescale();
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_epsilon(double epsilon) {
  epsilon_ = epsilon;
  rescale();
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::set_reference(std::span<const double> log_alpha,
                                                          std::span<const double> log_beta) {
  const auto base_2 = [](double value) { return value * std::numbers::log2e; };
  std::transform(log_alpha.begin(), log_alpha.end(), log2_alpha_.begin(), base_2);
  std::transform(log_beta.begin(), log_beta.end(), log2_beta_.begin(), base_2);
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::restore(double scale, double epsilon, std::vector<double> log2_alpha,
                                                    std::vector<double> log2_beta) {
  scale_ = scale;
  epsilon_ = epsilon;
  log2_alpha_ = std::move(log2_alpha);
  log2_beta_ = std::move(log2_beta);
  rescale();
}

template <class Scalar, class ExecutionSpace>
double TiledGeometry<Scalar, ExecutionSpace>::source_part(std::int64_t i) const {
  if (points_->cost == Cost::sq_euclidean) return kappa_ * source_.norms[static_cast<std::size_t>(i)];
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
    for (std::size_t j = 0; j < g.size(); ++j) {
      const auto bias = column_bias(static_cast<std::int64_t>(j), g[j]);
      const auto rounded = static_cast<double>(static_cast<Scalar>(bias));
      if (std::isfinite(rounded)) nearest[j] += (rounded - bias) * epsilon_ / std::numbers::log2e;
    }
  return nearest;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::row_biases(std::span<const double> f) const {
  std::vector<Scalar> biases(static_cast<std::size_t>(padded(rows().size())), Scalar(no_bias));
  for (std::size_t i = 0; i < f.size(); ++i)
    biases[i] = bounded_bias<Scalar>(row_bias(rows().begin + static_cast<std::int64_t>(i), f[i]));
  return biases;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::column_biases(std::span<const double> g) const {
  std::vector<Scalar> biases(static_cast<std::size_t>(padded(num_columns())), Scalar(no_bias));
  for (std::size_t j = 0; j < g.size(); ++j) {
    const bool is_absent = log2_beta_[j] == -INFINITY;  // whatever its g
    biases[j] = is_absent ? Scalar(no_bias) : bounded_bias<Scalar>(column_bias(static_cast<std::int64_t>(j), g[j]));
  }
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
  const auto first = biases.begin() + points_->columns.begin;
  return {first, first + padded(points_->columns.size())};
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::owned_alpha() const {
  std::vector<double> alpha(static_cast<std::size_t>(padded(rows().size())), 0.0);
  for (std::int64_t i = 0; i < rows().size(); ++i)
    alpha[static_cast<std::size_t>(i)] = std::exp2(log2_alpha_[static_cast<std::size_t>(rows().begin + i)]);
  return alpha;
}

template <class Scalar, class ExecutionSpace>
std::vector<Scalar> TiledGeometry<Scalar, ExecutionSpace>::all_alpha() const {
  std::vector<Scalar> alpha(static_cast<std::size_t>(padded(num_rows())), Scalar(0));
  std::transform(log2_alpha_.begin(), log2_alpha_.end(), alpha.begin(),
                 [](double log) { return static_cast<Scalar>(std::exp2(log)); });
  return alpha;
}

template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::row_pass(std::vector<Scalar> biases) const -> std::unique_ptr<Pass> {
  auto pass = std::make_unique<Pass>();
  pass->bias = std::move(biases);
  pass->bias_copy = Copy(exec_, pass->bias.data(), static_cast<std::int64_t>(pass->bias.size()));
  pass->tiles = tiles_of(rows());
  PairOperands<Scalar>& operands = pass->operands;
  operands = {points_->score,
              points_->source.dimension,
              num_columns(),
              is_dot() ? Scalar(1) : static_cast<Scalar>(kappa_),
              source_copy_.data(),
              target_copy_.data(),
              source_norms_copy_.data(),
              target_norms_copy_.data(),
              pass->bias_copy.data(),
              nullptr,
              dense_rows_.data(),
              pass->tiles.first};
  return pass;
}

template <class Scalar, class ExecutionSpace>
auto TiledGeometry<Scalar, ExecutionSpace>::column_pass(std::vector<Scalar> biases, std::vector<Scalar> weights) const
    -> std::unique_ptr<Pass> {
  auto pass = std::make_unique<Pass>();
  pass->bias = std::move(biases);
  pass->weights = std::move(weights);
  pass->bias_copy = Copy(exec_, pass->bias.data(), static_cast<std::int64_t>(pass->bias.size()));
  if (!pass->weights.empty())
    pass->weights_copy = Copy(exec_, pass->weights.data(), static_cast<std::int64_t>(pass->weights.size()));
  pass->tiles = tiles_of(points_->columns);
  PairOperands<Scalar>& operands = pass->operands;
  operands = {points_->score,
              points_->source.dimension,
              num_rows(),
              is_dot() ? Scalar(1) : static_cast<Scalar>(kappa_),
              target_copy_.data(),
              source_copy_.data(),
              target_norms_copy_.data(),
              source_norms_copy_.data(),
              pass->bias_copy.data(),
              pass->weights_copy.data(),
              dense_columns_.data(),
              pass->tiles.first};
  return pass;
}

template <class Scalar, class ExecutionSpace>
std::unique_ptr<PairGeometry> TiledGeometry<Scalar, ExecutionSpace>::in_float64() const {
  std::shared_ptr<const PairPoints<double>> points;
  if constexpr (sizeof(Scalar) == sizeof(double)) points = points_;
  else points = std::make_shared<const PairPoints<double>>(widened(*points_));
  auto result = std::make_unique<TiledGeometry<double, ExecutionSpace>>(context_, points, form_, is_float_);
  result->restore(scale_, epsilon_, log2_alpha_, log2_beta_);
  return result;
}

#define THALWEG_TILED_GEOMETRY(Scalar, Space) \
  template class DeviceCopy<Scalar, Space>;   \
  template class TiledGeometry<Scalar, Space>;
THALWEG_INSTANTIATE(THALWEG_TILED_GEOMETRY)

}  // namespace thalweg
