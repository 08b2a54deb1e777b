// Moments and class sums over rows: formed per block in order, added across blocks and ranks in fixed point.
#include <algorithm>
#include <cmath>

#include "kernels/block_rows.hpp"
#include "solvers/row_pass.hpp"

namespace thalweg {

namespace {

double weight_of(const RowBlock& block, std::int64_t row) {
  return block.weights.empty() ? 1.0 : block.weights[static_cast<std::size_t>(row)];
}

/// Sums over the rows of all ranks of the vectors that `add_row(row, sums)` adds to, all bounded by `bound`.
template <class AddRow>
std::vector<double> reproducible_sums(const Communicator& comm, const RowBlock& block, std::size_t count, double bound,
                                      AddRow&& add_row) {
  const FixedPoint form = FixedPoint::for_bound(bound);
  std::vector<std::int64_t> fixed(count, 0);
  std::vector<double> sums(count);
  for (std::int64_t first = 0; first < block.rows.size(); first += block_rows) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::int64_t row = first; row < std::min<std::int64_t>(first + block_rows, block.rows.size()); ++row)
      add_row(row, sums);
    for (std::size_t i = 0; i < count; ++i) fixed[i] += std::llrint(sums[i] * form.to_fixed);
  }
  comm.all_reduce(std::span<std::int64_t>(fixed), Reduction::sum);
  for (std::size_t i = 0; i < count; ++i) sums[i] = static_cast<double>(fixed[i]) * form.to_value;
  return sums;
}

/// A power of two above all features: in this unit sums of features, squares and weights share one bound,
/// and no coordinate scale costs digits.
struct FeatureUnit {
  double value = 1.0, inverse = 1.0;

  explicit FeatureUnit(const std::vector<double>& max_feature) {
    double largest = 0.0;
    for (const double feature : max_feature) largest = std::max(largest, feature);
    if (!(largest > 0.0) || !std::isfinite(largest)) return;
    int exponent = 0;
    std::frexp(largest, &exponent);
    value = std::ldexp(1.0, exponent);
    inverse = std::ldexp(1.0, -exponent);
  }
};

/// From sums of weights, then of weighted features, by type.
PassSums type_sums(const std::vector<double>& sums, const RowMoments& moments, const FeatureUnit& unit, std::int64_t dimension,
                   std::int64_t num_types) {
  const auto p = static_cast<std::size_t>(dimension), r = static_cast<std::size_t>(num_types);
  PassSums result;
  const double inverse = moments.total_weight > 0.0 ? 1.0 / moments.total_weight : 0.0;
  for (std::size_t k = 0; k < r; ++k) result.masses.push_back(sums[k] * inverse);
  result.features = Matrix(dimension, num_types);
  for (std::size_t i = 0; i < p * r; ++i) result.features.values[i] = sums[r + i] * inverse * unit.value;
  return result;
}

}  // namespace

void features_of_row(const RowBlock& block, const FeatureFrame& frame, std::int64_t row, std::span<double> phi) {
  const auto p = static_cast<std::size_t>(block.dimension), features = static_cast<std::size_t>(block.num_features());
  const auto i = static_cast<std::size_t>(row);
  for (std::size_t j = 0; j < features; ++j) phi[j] = static_cast<double>(block.features[i * features + j]) - frame.center[j];
  if (block.has_coordinates()) {
    const auto count = static_cast<std::size_t>(block.coordinates.count);
    double square = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t j = features + k;
      phi[j] = static_cast<double>(block.coordinates.values[i * count + k]) - frame.center[j];
      square += phi[j] * phi[j];
    }
    for (std::size_t j = features + count; j + 1 < p; ++j) phi[j] = 0.0;
    phi[p - 1] = square - frame.center[p - 1];
  }
  if (frame.scale.empty()) return;
  for (std::size_t j = 0; j < p; ++j) phi[j] *= frame.scale[j];
}

FeatureFrame without_squares(const RowBlock& block, std::vector<double> center) {
  if (!block.has_coordinates()) return center;
  FeatureFrame frame(std::move(center));
  frame.scale.assign(frame.center.size(), 1.0);
  frame.scale.back() = 0.0;
  return frame;
}

void normalise_shares(std::span<const float> shares, std::span<double> memberships) {
  double sum = 0.0;
  for (const float share : shares) sum += static_cast<double>(share);
  for (std::size_t k = 0; k < shares.size(); ++k) memberships[k] = static_cast<double>(shares[k]) / sum;
}

RowMoments row_moments(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame) {
  const auto p = static_cast<std::size_t>(block.dimension), features = static_cast<std::size_t>(block.num_features());
  std::vector<double> largest(p + 1, 0.0), phi(p);  // features, then weight
  for (std::int64_t row = 0; row < block.rows.size(); ++row) {
    features_of_row(block, frame, row, phi);
    for (std::size_t j = 0; j < p; ++j) largest[j] = std::max(largest[j], std::abs(phi[j]));
    largest[p] = std::max(largest[p], weight_of(block, row));
  }
  comm.all_reduce(std::span<double>(largest), Reduction::max);
  RowMoments moments;
  moments.max_feature.assign(largest.begin(), largest.end() - 1);
  const FeatureUnit unit(moments.max_feature);
  double bound = 1.0;
  for (const double value : moments.max_feature) bound += value * unit.inverse * value * unit.inverse;
  const double n = static_cast<double>(block.num_rows);
  const auto sums = reproducible_sums(comm, block, p + 2, n * largest[p] * bound, [&](std::int64_t row, std::vector<double>& sum) {
    const double weight = weight_of(block, row);
    double square = 0.0;
    features_of_row(block, frame, row, phi);
    for (std::size_t j = 0; j < p; ++j) {
      const double value = phi[j] * unit.inverse;
      sum[j] += weight * value;
      if (j < features) square += value * value;
    }
    sum[p] += weight * square;
    sum[p + 1] += weight;
  });
  moments.total_weight = sums[p + 1];
  const double inverse = sums[p + 1] > 0.0 ? 1.0 / sums[p + 1] : 0.0;
  moments.second_moment = sums[p] * inverse * unit.value * unit.value;
  for (std::size_t j = 0; j < p; ++j) {
    const double scale = frame.scale_of(static_cast<std::int64_t>(j));
    moments.mean.push_back(frame.center[j] + (scale > 0.0 ? sums[j] * inverse * unit.value / scale : 0.0));
  }
  return moments;
}

IntraMoments intra_moments(const Communicator& comm, const RowBlock& block, std::vector<double> center) {
  const auto first = static_cast<std::size_t>(block.num_features()), width = static_cast<std::size_t>(block.coordinates.width);
  center.back() = 0.0;  // squares as they are
  const RowMoments moments = row_moments(comm, block, without_squares(block, center));
  const FeatureUnit unit({moments.max_feature.begin() + static_cast<std::ptrdiff_t>(first), moments.max_feature.end() - 1});
  // In this unit coordinates are below 1, squares below their number.
  const double bound = static_cast<double>(width * width) * moments.total_weight * 1.01;
  std::vector<double> phi(center.size());
  const FeatureFrame frame(std::move(center));
  const auto sums = reproducible_sums(comm, block, width * width + 2, bound, [&](std::int64_t row, std::vector<double>& sum) {
    features_of_row(block, frame, row, phi);
    for (double& value : phi) value *= unit.inverse;
    const double weight = weight_of(block, row), square = phi.back() * unit.inverse;
    for (std::size_t j = 0; j < width; ++j)
      for (std::size_t k = 0; k < width; ++k) sum[j * width + k] += weight * phi[first + j] * phi[first + k];
    sum[width * width] += weight * square;
    sum[width * width + 1] += weight * square * square;
  });
  const double inverse = moments.total_weight > 0.0 ? 1.0 / moments.total_weight : 0.0;
  const double squared = unit.value * unit.value, fourth = squared * squared;
  IntraMoments result{sums[width * width] * inverse * squared, sums[width * width + 1] * inverse * fourth, 0.0};
  for (std::size_t i = 0; i < width * width; ++i) result.covariance_norm += sums[i] * inverse * (sums[i] * inverse) * fourth;
  return result;
}

PassSums label_sums(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame,
                    const RowMoments& moments, std::span<const std::int32_t> labels, std::int64_t num_types) {
  const auto p = static_cast<std::size_t>(block.dimension), r = static_cast<std::size_t>(num_types);
  const FeatureUnit unit(moments.max_feature);
  std::vector<double> phi(p);
  const auto sums = reproducible_sums(comm, block, (p + 1) * r, moments.total_weight * 1.01,
                                      [&](std::int64_t row, std::vector<double>& sum) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    if (label < 0) return;
    const auto k = static_cast<std::size_t>(label);
    const double weight = weight_of(block, row);
    sum[k] += weight;
    features_of_row(block, frame, row, phi);
    for (std::size_t j = 0; j < p; ++j) sum[(j + 1) * r + k] += weight * phi[j] * unit.inverse;
  });
  return type_sums(sums, moments, unit, block.dimension, num_types);
}

PassSums membership_sums(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame,
                         const RowMoments& moments, std::span<const float> shares, std::int64_t num_types) {
  const auto p = static_cast<std::size_t>(block.dimension), r = static_cast<std::size_t>(num_types);
  const FeatureUnit unit(moments.max_feature);
  std::vector<double> phi(p);
  std::vector<double> masses(r);
  const auto sums = reproducible_sums(comm, block, (p + 1) * r, moments.total_weight * 1.01,
                                      [&](std::int64_t row, std::vector<double>& sum) {
    normalise_shares(shares.subspan(static_cast<std::size_t>(row) * r, r), masses);
    const double weight = weight_of(block, row);
    for (std::size_t k = 0; k < r; ++k) sum[k] += masses[k] *= weight;
    features_of_row(block, frame, row, phi);
    for (std::size_t j = 0; j < p; ++j)
      for (std::size_t k = 0; k < r; ++k) sum[(j + 1) * r + k] += masses[k] * phi[j] * unit.inverse;
  });
  return type_sums(sums, moments, unit, block.dimension, num_types);
}

}  // namespace thalweg
