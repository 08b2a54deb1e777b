#include "kernels/lowrank_block_host.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/block_rows.hpp"
#include "kernels/simd.hpp"

namespace thalweg {

namespace {

// Register blocking: panel_width x row_vectors accumulators, two loads fewer than 32 (16) registers hold.
constexpr int panel_width = 6;
constexpr int row_vectors = simd::vector_bytes == 64 ? 4 : 2;
constexpr int panel_rows = simd::vector_bytes == 64 ? 4 : 2;

std::int64_t padded(std::int64_t num_types) { return (num_types + panel_width - 1) / panel_width * panel_width; }

/// Logits of one panel for row_vectors vectors of rows: out[k][i] = sum_j A[j][k] phi[j][i] + v[k].
template <class Scalar>
void logit_panel(const Scalar* panel, const Scalar* duals, std::int64_t dimension, const Scalar* features, Scalar* out) {
  using Vector = simd::Vector<Scalar>;
  constexpr int width = simd::lanes<Scalar>;
  Vector sum[panel_width][row_vectors] = {};
  for (std::int64_t j = 0; j < dimension; ++j) {
    Vector row[row_vectors];
    for (int q = 0; q < row_vectors; ++q) row[q] = simd::load(features + j * block_rows + q * width);
    for (int k = 0; k < panel_width; ++k)
      for (int q = 0; q < row_vectors; ++q) sum[k][q] += row[q] * panel[j * panel_width + k];
  }
  // The dual comes last, so that the rounding of the products does not depend on it.
  for (int k = 0; k < panel_width; ++k)
    for (int q = 0; q < row_vectors; ++q) simd::store<Scalar>(sum[k][q] + duals[k], out + k * block_rows + q * width);
}

template <class Scalar>
void logits_of_block(const HostColumns<Scalar>& columns, const Scalar* features, Scalar* logits) {
  constexpr int strip = row_vectors * simd::lanes<Scalar>;
  for (int i = 0; i < block_rows; i += strip)
    for (std::int64_t k = 0; k < columns.num_types; k += panel_width)
      logit_panel(columns.panels.data() + k * columns.dimension, columns.duals.data() + k, columns.dimension,
                  features + i, logits + k * block_rows + i);
}

/// Turns logits into memberships, in place; row sums of exponentials, maxima and sum_k e (L - max).
template <class Scalar>
void softmax_of_block(std::int64_t num_types, Scalar* logits, Scalar* maximum, Scalar* total, Scalar* moment) {
  using Vector = simd::Vector<Scalar>;
  for (int i = 0; i < block_rows; i += simd::lanes<Scalar>) {
    Vector top = simd::load(logits + i);
    for (std::int64_t k = 1; k < num_types; ++k) top = simd::max(top, simd::load(logits + k * block_rows + i));
    Vector sum{}, weighted{};
    for (std::int64_t k = 0; k < num_types; ++k) {
      const Vector shifted = simd::load(logits + k * block_rows + i) - top;
      const Vector value = simd::exp_nonpositive(shifted);
      sum += value;
      weighted += value * shifted;
      simd::store<Scalar>(value, logits + k * block_rows + i);
    }
    const Vector inverse = Scalar(1) / sum;
    for (std::int64_t k = 0; k < num_types; ++k)
      simd::store<Scalar>(simd::load(logits + k * block_rows + i) * inverse, logits + k * block_rows + i);
    simd::store<Scalar>(top, maximum + i);
    simd::store<Scalar>(sum, total + i);
    simd::store<Scalar>(weighted * inverse, moment + i);
  }
}

/// out[j][k] = sum_i left[j][i] right[k][i] for a tile of panel_rows x panel_width rows.
template <class Scalar>
void product_tile(const Scalar* const* left, const Scalar* right, Scalar (&out)[panel_rows][panel_width]) {
  using Vector = simd::Vector<Scalar>;
  Vector sum[panel_rows][panel_width] = {};
  for (int i = 0; i < block_rows; i += simd::lanes<Scalar>) {
    Vector row[panel_rows];
    for (int j = 0; j < panel_rows; ++j) row[j] = simd::load(left[j] + i);
    for (int k = 0; k < panel_width; ++k) {
      const Vector column = simd::load(right + k * block_rows + i);
      for (int j = 0; j < panel_rows; ++j) sum[j][k] += row[j] * column;
    }
  }
  for (int j = 0; j < panel_rows; ++j)
    for (int k = 0; k < panel_width; ++k) out[j][k] = simd::sum<Scalar>(sum[j][k]);
}

/// product[j][k] = sum_i left[j][i] right[k][i], j < rows, k < num_types; `from_diagonal` leaves out
/// tiles that lie wholly below the diagonal.
template <class Scalar>
void row_products(const Scalar* left, std::int64_t rows, const Scalar* right, std::int64_t num_types,
                  bool from_diagonal, double* product) {
  for (std::int64_t j = 0; j < rows; j += panel_rows) {
    const Scalar* row[panel_rows];
    for (int q = 0; q < panel_rows; ++q) row[q] = left + std::min(j + q, rows - 1) * block_rows;
    const std::int64_t first = from_diagonal ? j / panel_width * panel_width : 0;
    for (std::int64_t k = first; k < num_types; k += panel_width) {
      Scalar tile[panel_rows][panel_width];
      product_tile(row, right + k * block_rows, tile);
      for (std::int64_t q = 0; q < std::min<std::int64_t>(panel_rows, rows - j); ++q)
        for (std::int64_t c = 0; c < std::min<std::int64_t>(panel_width, num_types - k); ++c)
          product[(j + q) * num_types + k + c] = static_cast<double>(tile[q][c]);
    }
  }
}

}  // namespace

template <class Scalar>
HostColumns<Scalar>::HostColumns(const Matrix& logits, std::span<const double> duals_)
    : num_types(logits.columns), dimension(logits.rows),
      panels(static_cast<std::size_t>(padded(num_types) * dimension), Scalar(0)),
      duals(static_cast<std::size_t>(padded(num_types)), Scalar(0)) {
  for (std::int64_t k = 0; k < num_types; ++k) {
    const std::int64_t panel = k / panel_width * panel_width;
    for (std::int64_t j = 0; j < dimension; ++j)
      panels[static_cast<std::size_t>(panel * dimension + j * panel_width + k - panel)] = static_cast<Scalar>(logits(j, k));
    duals[static_cast<std::size_t>(k)] = static_cast<Scalar>(duals_[static_cast<std::size_t>(k)]);
  }
}

template <class Scalar>
HostBlock<Scalar>::HostBlock(const HostColumns<Scalar>& columns)
    : memberships(static_cast<std::size_t>(padded(columns.num_types) * block_rows), Scalar(0)),
      weighted(memberships.size(), Scalar(0)),
      masses(static_cast<std::size_t>(columns.num_types)),
      features(static_cast<std::size_t>(columns.dimension * columns.num_types)),
      hessian(static_cast<std::size_t>(columns.num_types * columns.num_types)) {}

template <class Scalar>
void lowrank_block_host(const HostColumns<Scalar>& columns, const Scalar* features, const Scalar* weights,
                        bool with_features, bool with_hessian, HostBlock<Scalar>& block) {
  using Vector = simd::Vector<Scalar>;
  const std::int64_t num_types = columns.num_types;
  Scalar maximum[block_rows], total[block_rows], moment[block_rows];
  Scalar* memberships = block.memberships.data();
  logits_of_block(columns, features, memberships);
  softmax_of_block(num_types, memberships, maximum, total, moment);

  block.normalizer = block.entropy = 0.0;
  for (int i = 0; i < block_rows; ++i) {
    const double log_total = std::log(static_cast<double>(total[i])), weight = static_cast<double>(weights[i]);
    block.normalizer += weight * (static_cast<double>(maximum[i]) + log_total);
    block.entropy += weight * (static_cast<double>(moment[i]) - log_total);
  }
  for (std::int64_t k = 0; k < num_types; ++k) {
    Vector mass{};
    for (int i = 0; i < block_rows; i += simd::lanes<Scalar>) {
      const Vector value = simd::load(memberships + k * block_rows + i) * simd::load(weights + i);
      mass += value;
      simd::store<Scalar>(value, block.weighted.data() + k * block_rows + i);
    }
    block.masses[static_cast<std::size_t>(k)] = static_cast<double>(simd::sum<Scalar>(mass));
  }
  if (with_features)
    row_products(features, columns.dimension, block.weighted.data(), num_types, false, block.features.data());
  if (!with_hessian) return;
  row_products(memberships, num_types, block.weighted.data(), num_types, true, block.hessian.data());
  for (std::int64_t k = 0; k < num_types; ++k)
    for (std::int64_t l = 0; l < k; ++l) block.hessian[static_cast<std::size_t>(k * num_types + l)] = block.hessian[static_cast<std::size_t>(l * num_types + k)];
}

template struct HostColumns<float>;
template struct HostColumns<double>;
template struct HostBlock<float>;
template struct HostBlock<double>;
template void lowrank_block_host(const HostColumns<float>&, const float*, const float*, bool, bool, HostBlock<float>&);
template void lowrank_block_host(const HostColumns<double>&, const double*, const double*, bool, bool, HostBlock<double>&);

}  // namespace thalweg
