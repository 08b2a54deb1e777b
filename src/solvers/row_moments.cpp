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

}  // namespace

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
  double bound = 1.0;
  for (const double value : moments.max_feature) bound += value * value;
  const double n = static_cast<double>(block.num_rows);
  const auto sums = reproducible_sums(comm, block, p + 2, n * largest[p] * bound, [&](std::int64_t row, std::vector<double>& sum) {
    const double weight = weight_of(block, row);
    double square = 0.0;
    for (std::size_t j = 0; j < p; ++j) {
      const double value = static_cast<double>(block.features[static_cast<std::size_t>(row) * p + j]) - center[j];
      sum[j] += weight * value;
      square += value * value;
    }
    sum[p] += weight * square;
    sum[p + 1] += weight;
  });
  moments.total_weight = sums[p + 1];
  const double inverse = sums[p + 1] > 0.0 ? 1.0 / sums[p + 1] : 0.0;
  moments.second_moment = sums[p] * inverse;
  for (std::size_t j = 0; j < p; ++j) moments.mean.push_back(center[j] + sums[j] * inverse);
  return moments;
}

PassSums label_sums(const Communicator& comm, const RowBlock& block, std::span<const double> center,
                    const RowMoments& moments, std::span<const std::int32_t> labels, std::int64_t num_types) {
  const auto p = static_cast<std::size_t>(block.dimension), r = static_cast<std::size_t>(num_types);
  const double largest = moments.max_feature.empty() ? 0.0 : *std::max_element(moments.max_feature.begin(), moments.max_feature.end());
  const auto sums = reproducible_sums(comm, block, (p + 1) * r, moments.total_weight * std::max(1.0, largest) * 1.01,
                                      [&](std::int64_t row, std::vector<double>& sum) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    if (label < 0) return;
    const auto k = static_cast<std::size_t>(label);
    const double weight = weight_of(block, row);
    sum[k] += weight;
    for (std::size_t j = 0; j < p; ++j)
      sum[(j + 1) * r + k] += weight * (static_cast<double>(block.features[static_cast<std::size_t>(row) * p + j]) - center[j]);
  });
  PassSums result;
  const double inverse = moments.total_weight > 0.0 ? 1.0 / moments.total_weight : 0.0;
  for (std::size_t k = 0; k < r; ++k) result.masses.push_back(sums[k] * inverse);
  result.features = Matrix(block.dimension, num_types);
  for (std::size_t i = 0; i < p * r; ++i) result.features.values[i] = sums[r + i] * inverse;
  return result;
}

}  // namespace thalweg
