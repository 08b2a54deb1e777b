#include "analysis/procrustes.hpp"

#include <cmath>

#include "distributed/error.hpp"
#include "geometry/row_gram.hpp"

namespace thalweg {

namespace {

/// Weights of the points that take part, 0 of others.
std::vector<double> weights_in_use(const Matrix& images, std::span<const double> weights) {
  std::vector<double> used(weights.begin(), weights.end());
  double sum = 0.0;
  for (std::int64_t i = 0; i < images.rows; ++i) {
    for (const double u : images.row(i))
      if (!std::isfinite(u)) used[static_cast<std::size_t>(i)] = 0.0;
    sum += used[static_cast<std::size_t>(i)];
  }
  if (!(sum > 0.0))
    throw DataError("no point has both a weight and an image; a motion needs one; check the coupling of the slices");
  for (double& weight : used) weight /= sum;
  return used;
}

std::vector<double> mean_of(const Matrix& points, std::span<const double> weights) {
  std::vector<double> mean(static_cast<std::size_t>(points.columns), 0.0);
  for (std::int64_t i = 0; i < points.rows; ++i) {
    const double weight = weights[static_cast<std::size_t>(i)];
    if (weight == 0.0) continue;  // its image may be no number
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += weight * points.row(i)[k];
  }
  return mean;
}

/// sum_i w_i v_i c_i^T, and sum_i w_i |v_i|^2.
std::pair<Matrix, double> moments(const Matrix& points, const Matrix& images, const std::vector<double>& weights) {
  const std::vector<double> x = mean_of(points, weights), u = mean_of(images, weights);
  const std::int64_t d = points.columns;
  Matrix cross(d, d);
  double square = 0.0;
  for (std::int64_t i = 0; i < points.rows; ++i) {
    const double weight = weights[static_cast<std::size_t>(i)];
    if (weight == 0.0) continue;
    for (std::int64_t k = 0; k < d; ++k) {
      const double v = points(i, k) - x[static_cast<std::size_t>(k)];
      square += weight * v * v;
      for (std::int64_t l = 0; l < d; ++l) cross(k, l) += weight * v * (images(i, l) - u[static_cast<std::size_t>(l)]);
    }
  }
  return {std::move(cross), square};
}

}  // namespace

double determinant_of(const Matrix& rotation) {
  Matrix a = rotation;
  double determinant = 1.0;
  for (std::int64_t k = 0; k < a.rows; ++k) {
    std::int64_t pivot = k;
    for (std::int64_t i = k + 1; i < a.rows; ++i)
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    if (a(pivot, k) == 0.0) return 0.0;
    if (pivot != k) determinant = -determinant;
    for (std::int64_t l = 0; l < a.columns; ++l) std::swap(a(pivot, l), a(k, l));
    determinant *= a(k, k);
    for (std::int64_t i = k + 1; i < a.rows; ++i)
      for (std::int64_t l = a.columns - 1; l >= k; --l) a(i, l) -= a(i, k) / a(k, k) * a(k, l);
  }
  return determinant;
}

Matrix moved(const Matrix& points, const RigidMotion& motion) {
  Matrix result(points.rows, points.columns);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t k = 0; k < points.columns; ++k) {
      double value = 0.0;
      for (std::int64_t l = 0; l < points.columns; ++l) value += motion.rotation(k, l) * points(i, l);
      result(i, k) = motion.scale * value + motion.translation[static_cast<std::size_t>(k)];
    }
  return result;
}

RigidMotion fit_rigid_motion(const Matrix& points, const Matrix& images, std::span<const double> weights,
                             const RigidMotionSettings& settings) {
  const std::vector<double> used = weights_in_use(images, weights);
  const auto [cross, square] = moments(points, images, used);
  const SingularSystem system = singular_system_of(cross);  // U, S, V^T
  const std::int64_t d = points.columns;
  Matrix v = transpose(system.right);
  const bool is_mirror = determinant_of(product(v, transpose(system.left))) < 0.0;
  double sign = 1.0;
  if (is_mirror && !settings.allows_reflection) {
    sign = -1.0;
    for (std::int64_t k = 0; k < d; ++k) v(k, d - 1) = -v(k, d - 1);
  }
  RigidMotion motion;
  motion.rotation = product(v, transpose(system.left));
  if (settings.fits_scale && square > 0.0) {
    double sum = sign * system.values.back();
    for (std::size_t k = 0; k + 1 < system.values.size(); ++k) sum += system.values[k];
    motion.scale = sum / square;
  }
  motion.translation.assign(static_cast<std::size_t>(d), 0.0);
  const std::vector<double> from = mean_of(moved(points, motion), used), to = mean_of(images, used);
  for (std::size_t k = 0; k < to.size(); ++k) motion.translation[k] = to[k] - from[k];
  const Matrix result = moved(points, motion);
  double residual = 0.0;
  for (std::int64_t i = 0; i < points.rows; ++i) {
    const double weight = used[static_cast<std::size_t>(i)];
    if (weight == 0.0) continue;
    for (std::int64_t k = 0; k < d; ++k) residual += weight * std::pow(result(i, k) - images(i, k), 2);
  }
  motion.residual_rms = std::sqrt(residual);
  return motion;
}

}  // namespace thalweg
