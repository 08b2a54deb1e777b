#include "kernels/pass_layout.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

double largest_logit(std::span<const double> max_feature, const Matrix& logits, std::span<const double> duals) {
  double largest = 0.0;
  for (std::int64_t k = 0; k < logits.columns; ++k) {
    double bound = std::abs(duals[static_cast<std::size_t>(k)]);
    for (std::int64_t j = 0; j < logits.rows; ++j) bound += max_feature[static_cast<std::size_t>(j)] * std::abs(logits(j, k));
    largest = std::max(largest, bound);
  }
  return largest;
}

}  // namespace

PassLayout make_pass_layout(PassParts parts, std::int64_t num_rows, std::span<const double> max_feature,
                            const Matrix& logits, std::span<const double> duals) {
  PassLayout layout;
  layout.num_types = logits.columns;
  layout.dimension = logits.rows;
  layout.parts = parts;
  const double n = static_cast<double>(num_rows), log_types = std::log(static_cast<double>(layout.num_types));
  double largest_feature = 0.0;
  for (const double value : max_feature) largest_feature = std::max(largest_feature, value);
  // Float32 sums of a block may exceed the exact bound by their rounding: 1 % of room.
  layout.unit = FixedPoint::for_bound(1.01 * n);
  layout.normalizer = FixedPoint::for_bound(1.01 * n * (largest_logit(max_feature, logits, duals) + log_types));
  layout.entropy = FixedPoint::for_bound(1.01 * n * (log_types + 1.0));
  layout.feature = FixedPoint::for_bound(1.01 * n * largest_feature);
  layout.rescale = 1.0 / n;
  return layout;
}

std::int64_t blocks_of_chunk(std::int64_t num_types, std::int64_t scalar_bytes) {
  return std::max<std::int64_t>(1, chunk_bytes / (num_types * block_rows * scalar_bytes));
}

}  // namespace thalweg
