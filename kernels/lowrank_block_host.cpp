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

/// One panel for row_vectors vectors of rows: out[k][i] = sum_j A[j][k] phi[j][i].
template <class Scalar>
void product_panel(const Scalar* panel, std::int64_t dimension, const Scalar* features, Scalar* out) {
  using Vector = simd::Vector<Scalar>;
  constexpr int width = simd::lanes<Scalar>;
  Vector sum[panel_width][row_vectors] = {};
  for (std::int64_t j = 0; j < dimension; ++j) {
    Vector row[row_vectors];
    for (int q = 0; q < row_vectors; ++q) row[q] = simd::load(features + j * block_rows + q * width);
    for (int k = 0; k < panel_width; ++k)
      for (int q = 0; q < row_vectors; ++q) sum[k][q] += row[q] * panel[j * panel_width + k];
  }
  for (int k = 0; k < panel_width; ++k)
    for (int q = 0; q < row_vectors; ++q) simd::store<Scalar>(sum[k][q], out + k * block_rows + q * width);
}

template <class Scalar>
void products_of_block(const HostColumns<Scalar>& columns, const Scalar* features, Scalar* products) {
  constexpr int strip = row_vectors * simd::lanes<Scalar>;
  for (int i = 0; i < block_rows; i += strip)
    for (std::int64_t k = 0; k < columns.num_types; k += panel_width)
      product_panel(columns.panels.data() + k * columns.dimension, columns.dimension, features + i,
                    products + k * block_rows + i);
}

/// Turns the products A_k . phi_i into memberships, in place; row sums of exponentials, the shifts that
/// were taken off the logits and sum_k P (L - shift).
///
/// At small epsilon logits reach 1e3 while only differences of order 1 matter: the dual is added in
/// double after the shift, so that float sums are smooth in v far below the rounding of a logit.
template <class Scalar>
void softmax_of_block(const HostColumns<Scalar>& columns, Scalar* products, Scalar* shifts, Scalar* totals, Scalar* moments) {
  using Vector = simd::Vector<Scalar>;
  const std::int64_t num_types = columns.num_types;
  for (int i = 0; i < block_rows; i += simd::lanes<Scalar>) {
    Vector shift = simd::load(products + i) + static_cast<Scalar>(columns.duals[0]);
    for (std::int64_t k = 1; k < num_types; ++k)
      shift = simd::max(shift, simd::load(products + k * block_rows + i) + static_cast<Scalar>(columns.duals[static_cast<std::size_t>(k)]));
    Vector total{}, moment{};
    for (std::int64_t k = 0; k < num_types; ++k) {
      const Vector logit = simd::add_shifted(simd::load(products + k * block_rows + i), shift, columns.duals[static_cast<std::size_t>(k)]);
      const Vector value = simd::exp_small(logit);
      total += value;
      moment += value * logit;
      simd::store<Scalar>(value, products + k * block_rows + i);
    }
    const Vector inverse = Scalar(1) / total;
    for (std::int64_t k = 0; k < num_types; ++k)
      simd::store<Scalar>(simd::load(products + k * block_rows + i) * inverse, products + k * block_rows + i);
    simd::store<Scalar>(shift, shifts + i);
    simd::store<Scalar>(total, totals + i);
    simd::store<Scalar>(moment * inverse, moments + i);
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
      duals(duals_.begin(), duals_.end()) {
  for (std::int64_t k = 0; k < num_types; ++k) {
    const std::int64_t panel = k / panel_width * panel_width;
    for (std::int64_t j = 0; j < dimension; ++j)
      panels[static_cast<std::size_t>(panel * dimension + j * panel_width + k - panel)] = static_cast<Scalar>(logits(j, k));
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
  Scalar shift[block_rows], total[block_rows], moment[block_rows];
  Scalar* memberships = block.memberships.data();
  products_of_block(columns, features, memberships);
  softmax_of_block(columns, memberships, shift, total, moment);

  block.normalizer = block.entropy = 0.0;
  for (int i = 0; i < block_rows; ++i) {
    const double log_total = std::log(static_cast<double>(total[i])), weight = static_cast<double>(weights[i]);
    block.normalizer += weight * (static_cast<double>(shift[i]) + log_total);
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
