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

void normalise_shares(std::span<const float> shares, std::span<double> memberships) {
  double sum = 0.0;
  for (const float share : shares) sum += static_cast<double>(share);
  for (std::size_t k = 0; k < shares.size(); ++k) memberships[k] = static_cast<double>(shares[k]) / sum;
}

RowMoments row_moments(const Communicator& comm, const RowBlock& block, std::span<const double> center) {
  const auto p = static_cast<std::size_t>(block.dimension);
  std::vector<double> largest(p + 1, 0.0);  // features, then weight
  for (std::int64_t row = 0; row < block.rows.size(); ++row) {
    for (std::size_t j = 0; j < p; ++j)
      largest[j] = std::max(largest[j], std::abs(static_cast<double>(block.features[static_cast<std::size_t>(row) * p + j]) - center[j]));
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
    for (std::size_t j = 0; j < p; ++j) {
      const double value = (static_cast<double>(block.features[static_cast<std::size_t>(row) * p + j]) - center[j]) * unit.inverse;
      sum[j] += weight * value;
      square += value * value;
    }
    sum[p] += weight * square;
    sum[p + 1] += weight;
  });
  moments.total_weight = sums[p + 1];
  const double inverse = sums[p + 1] > 0.0 ? 1.0 / sums[p + 1] : 0.0;
  moments.second_moment = sums[p] * inverse * unit.value * unit.value;
  for (std::size_t j = 0; j < p; ++j) moments.mean.push_back(center[j] + sums[j] * inverse * unit.value);
  return moments;
}

PassSums label_sums(const Communicator& comm, const RowBlock& block, std::span<const double> center,
                    const RowMoments& moments, std::span<const std::int32_t> labels, std::int64_t num_types) {
  const auto p = static_cast<std::size_t>(block.dimension), r = static_cast<std::size_t>(num_types);
  const FeatureUnit unit(moments.max_feature);
  const auto sums = reproducible_sums(comm, block, (p + 1) * r, moments.total_weight * 1.01,
                                      [&](std::int64_t row, std::vector<double>& sum) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    if (label < 0) return;
    const auto k = static_cast<std::size_t>(label);
    const double weight = weight_of(block, row);
    sum[k] += weight;
    for (std::size_t j = 0; j < p; ++j)
      sum[(j + 1) * r + k] += weight * (static_cast<double>(block.features[static_cast<std::size_t>(row) * p + j]) - center[j]) * unit.inverse;
  });
  return type_sums(sums, moments, unit, block.dimension, num_types);
}

PassSums membership_sums(const Communicator& comm, const RowBlock& block, std::span<const double> center,
                         const RowMoments& moments, std::span<const float> shares, std::int64_t num_types) {
  const auto p = static_cast<std::size_t>(block.dimension), r = static_cast<std::size_t>(num_types);
  const FeatureUnit unit(moments.max_feature);
  std::vector<double> masses(r);
  const auto sums = reproducible_sums(comm, block, (p + 1) * r, moments.total_weight * 1.01,
                                      [&](std::int64_t row, std::vector<double>& sum) {
    normalise_shares(shares.subspan(static_cast<std::size_t>(row) * r, r), masses);
    const double weight = weight_of(block, row);
    for (std::size_t k = 0; k < r; ++k) sum[k] += masses[k] *= weight;
    for (std::size_t j = 0; j < p; ++j) {
      const double feature = static_cast<double>(block.features[static_cast<std::size_t>(row) * p + j]) - center[j];
      for (std::size_t k = 0; k < r; ++k) sum[(j + 1) * r + k] += masses[k] * feature * unit.inverse;
    }
  });
  return type_sums(sums, moments, unit, block.dimension, num_types);
}

}  // namespace thalweg
