#include "kernels/lowrank_block_host.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/block_rows.hpp"
#include "kernels/panels.hpp"
#include "kernels/row_products.hpp"
#include "kernels/simd.hpp"

namespace thalweg {

namespace {

// Logits are formed for a strip of rows and a panel of types at once: 4 x 5 accumulators and 5 operands in
// 32 vector registers, 2 x 5 and 3 in 16.
constexpr int strip_vectors = simd::vector_bytes == 64 ? 4 : 2;
using LogitPanels = Panels<5>;
template <class Scalar>
constexpr int strip_rows = strip_vectors* simd::lanes<Scalar>;
static_assert(tile_rows % strip_rows<float> == 0 && tile_rows % strip_rows<double> == 0);

template <class Scalar>
using Strip = simd::Vector<Scalar>[strip_vectors];

/// What is kept of each row of a block, in units of log 2.
template <class Scalar>
struct RowSums {
  alignas(64) Scalar shift[block_rows];   // taken off the logits
  alignas(64) Scalar total[block_rows];   // sum_k 2^(L - shift)
  alignas(64) Scalar moment[block_rows];  // sum_k P (L - shift)
};

/// products[k][i] = sum_j A[j][k] phi[j][i] for the types of one panel and a strip of rows; raises `top` to the logits.
template <class Scalar, int width>
void product_panel(const HostColumns<Scalar>& columns, std::int64_t first, const Scalar* features, Scalar* products,
                   Strip<Scalar>& top) {
  const Scalar* panel = columns.panels.data() + first * columns.dimension;
  simd::Vector<Scalar> sum[width * strip_vectors] = {};
  // Each panel asks for one line in turn of the same features of the next block (past the end: without effect).
  constexpr int line = 64 / static_cast<int>(sizeof(Scalar)), lines = strip_rows<Scalar> / line;
  const Scalar* ahead = features + columns.dimension * block_rows + first / width % lines * line;
  for (std::int64_t j = 0; j < columns.dimension; ++j) {
    __builtin_prefetch(ahead + j * tile_rows, 0, 2);
    Strip<Scalar> row;
    for (int q = 0; q < strip_vectors; ++q)
      row[q] = simd::in_register(simd::load(features + j * tile_rows + q * simd::lanes<Scalar>));
    for (int k = 0; k < width; ++k) {
      const auto entry = simd::in_register(simd::broadcast(panel[j * width + k]));
      for (int q = 0; q < strip_vectors; ++q) sum[k * strip_vectors + q] += row[q] * entry;
    }
  }
  const Scalar* duals = columns.duals.data() + first;
  Scalar* out = products + first * tile_rows;
#pragma GCC unroll 8  // early, or the accumulators get an address and go through memory
  for (int q = 0; q < strip_vectors; ++q) {
    simd::Vector<Scalar> largest = top[q];
#pragma GCC unroll 8
    for (int k = 0; k < width; ++k) {
      simd::store<Scalar>(sum[k * strip_vectors + q], out + k * tile_rows + q * simd::lanes<Scalar>);
      largest = simd::max(largest, sum[k * strip_vectors + q] + duals[k]);
    }
    top[q] = largest;
  }
}

template <class Scalar>
void products_of_strip(const HostColumns<Scalar>& columns, const Scalar* features, Scalar* products,
                       Strip<Scalar>& top) {
  for (auto& value : top) value = simd::broadcast(std::numeric_limits<Scalar>::lowest());
  const LogitPanels panels{columns.num_types};
  for (std::int64_t panel = 0; panel < panels.count(); ++panel)
    panels.with_width(panel, [&](auto width) {
      product_panel<Scalar, width>(columns, panels.begin(panel), features, products, top);
    });
}

/// Replaces the products A_k . phi_i of a strip by 2^(L - shift); returns 1 / sum_k of them in `inverse`.
///
/// At small epsilon logits reach 1e3 while only differences of order 1 matter. The shift is a whole number
/// near the largest logit, so it is the same for nearly all rows when v moves a little, and what rounding
/// takes off (product - shift) is found exactly (Dekker's Fast2Sum: a whole number is a multiple of the unit
/// in the last place of any product below 2^24). The dual is added in two parts: sums in float are then
/// smooth in v far below the rounding of a logit.
template <class Scalar>
void exponentials_of_strip(const HostColumns<Scalar>& columns, Scalar* products, Strip<Scalar>& top,
                           Strip<Scalar>& inverse, RowSums<Scalar>& rows, int at) {
  constexpr int lanes = simd::lanes<Scalar>;
  Strip<Scalar> total = {}, moment = {};
  for (auto& value : top) value = simd::round<Scalar>(value);
  const Scalar *duals = columns.duals.data(), *residues = columns.dual_residues.data();
  for (std::int64_t k = 0; k < columns.num_types; ++k) {
    for (int q = 0; q < strip_vectors; ++q) {
      Scalar* place = products + k * tile_rows + q * lanes;
      const simd::Vector<Scalar> product = simd::load(place), shifted = product - top[q];
      const simd::Vector<Scalar> lost = product - (shifted + top[q]);
      const simd::Vector<Scalar> logit = (shifted + duals[k]) + (lost + residues[k]);
      const auto value = simd::exp2_small<Scalar>(logit);
      total[q] += value;
      moment[q] += value * logit;
      simd::store<Scalar>(value, place);
    }
  }
  for (int q = 0; q < strip_vectors; ++q) {
    inverse[q] = Scalar(1) / total[q];
    simd::store<Scalar>(top[q], rows.shift + at + q * lanes);
    simd::store<Scalar>(total[q], rows.total + at + q * lanes);
    simd::store<Scalar>(moment[q] * inverse[q], rows.moment + at + q * lanes);
  }
}

/// Turns the exponentials of a strip into memberships P and, unless all weights are 1, writes a P to `weighted`;
/// adds sum_i a_i P_ik to masses[k], lane by lane.
template <class Scalar, bool equal_weights>
void memberships_of_strip(std::int64_t num_types, Scalar* memberships, const Scalar* weights, Scalar* weighted,
                          const Strip<Scalar>& inverse, Scalar* masses) {
  constexpr int lanes = simd::lanes<Scalar>;
  for (std::int64_t k = 0; k < num_types; ++k) {
    simd::Vector<Scalar> mass = simd::load(masses + k * lanes);
    for (int q = 0; q < strip_vectors; ++q) {
      const std::int64_t place = k * tile_rows + q * lanes;
      simd::Vector<Scalar> value = simd::load(memberships + place) * inverse[q];
      simd::store<Scalar>(value, memberships + place);
      if constexpr (!equal_weights) {
        value *= simd::load(weights + q * lanes);
        simd::store<Scalar>(value, weighted + place);
      }
      mass += value;
    }
    simd::store<Scalar>(mass, masses + k * lanes);
  }
}

template <class Scalar>
bool all_ones(const Scalar* weights) {
  simd::IntegerVector<Scalar> differs{};
  for (int i = 0; i < block_rows; i += simd::lanes<Scalar>) differs |= simd::load(weights + i) != Scalar(1);
  for (int i = 0; i < simd::lanes<Scalar>; ++i)
    if (differs[i]) return false;
  return true;
}

double sum_of_lanes(simd::Vector<double> value) {
  double sum = 0.0;
  for (int i = 0; i < simd::lanes<double>; ++i) sum += value[i];
  return sum;
}

/// sum_i a_i log total_i. With equal weights 32 totals, each at most 1.5 r, are multiplied before their logarithm.
template <class Scalar>
double sum_of_logs(const Scalar* totals, const Scalar* weights, bool equal_weights) {
  using Vector = simd::Vector<double>;
  constexpr int lanes = simd::lanes<double>, factors = 32;
  Vector sum{};
  if (!equal_weights) {
    for (int i = 0; i < block_rows; i += lanes)
      sum += simd::load_wide(weights + i) * simd::log_positive(simd::load_wide(totals + i));
    return sum_of_lanes(sum);
  }
  for (int i = 0; i < block_rows; i += factors * lanes) {
    Vector even = simd::broadcast(1.0), odd = even;
    for (int factor = 0; factor < factors; factor += 2) {
      even *= simd::load_wide(totals + i + factor * lanes);
      odd *= simd::load_wide(totals + i + (factor + 1) * lanes);
    }
    sum += simd::log_positive(even * odd);
  }
  return sum_of_lanes(sum);
}

template <class Scalar>
double weighted_sum(const Scalar* values, const Scalar* weights) {
  simd::Vector<double> sum{};
  for (int i = 0; i < block_rows; i += simd::lanes<double>)
    sum += simd::load_wide(values + i) * simd::load_wide(weights + i);
  return sum_of_lanes(sum);
}

std::int64_t padded(std::int64_t count, int lanes) { return (count + lanes - 1) / lanes * lanes; }

}  // namespace

template <class Scalar>
HostColumns<Scalar>::HostColumns(const Matrix& logits, std::span<const double> duals_)
    : num_types(logits.columns), dimension(logits.rows), panels(static_cast<std::size_t>(num_types * dimension)) {
  constexpr double unit = std::numbers::log2e;
  const LogitPanels split{num_types};
  Scalar* to = panels.data();
  for (std::int64_t panel = 0; panel < split.count(); ++panel)
    for (std::int64_t j = 0; j < dimension; ++j)
      for (int k = 0; k < split.width(panel); ++k)
        *to++ = static_cast<Scalar>(logits(j, split.begin(panel) + k) * unit);
  for (const double dual : duals_) {
    duals.push_back(static_cast<Scalar>(dual * unit));
    dual_residues.push_back(static_cast<Scalar>(dual * unit - static_cast<double>(duals.back())));
  }
}

template <class Scalar>
struct HostSums<Scalar>::Parts {
  const HostColumns<Scalar>& columns;
  const PassLayout& layout;
  LineBuffer<Scalar> memberships, weighted;  // tiles_per_block x r x tile_rows
  LineBuffer<Scalar> block_masses;           // r x lanes
  LineBuffer<std::int64_t> masses;           // in the order of lane sums
  std::int64_t normalizer = 0, entropy = 0;
  RowProducts<Scalar> features, hessian;
  RowSums<Scalar> rows;

  Parts(const HostColumns<Scalar>& columns_, const PassLayout& layout_)
      : columns(columns_),
        layout(layout_),
        memberships(layout.num_types * block_rows),
        weighted(layout.num_types * block_rows),
        block_masses(padded_types() * simd::lanes<Scalar>),
        masses(padded_types()),
        features(layout.parts.features ? layout.dimension : 0, layout.num_types, false),
        hessian(layout.parts.hessian ? layout.num_types : 0, layout.parts.hessian ? layout.num_types : 0, true) {
    std::fill_n(masses.data(), padded_types(), std::int64_t{0});
  }

  std::int64_t padded_types() const { return padded(layout.num_types, simd::lanes<Scalar>); }

  template <bool equal_weights>
  void form_memberships(const Scalar* features_of_block, const Scalar* weights) {
    std::fill_n(block_masses.data(), padded_types() * simd::lanes<Scalar>, Scalar(0));
    for (int i = 0; i < block_rows; i += strip_rows<Scalar>) {
      const std::int64_t tile = i / tile_rows, within = i % tile_rows;
      const std::int64_t place = tile * layout.num_types * tile_rows + within;
      Strip<Scalar> top, inverse;
      products_of_strip(columns, features_of_block + tile * layout.dimension * tile_rows + within,
                        memberships.data() + place, top);
      exponentials_of_strip(columns, memberships.data() + place, top, inverse, rows, i);
      memberships_of_strip<Scalar, equal_weights>(layout.num_types, memberships.data() + place, weights + i,
                                                  weighted.data() + place, inverse, block_masses.data());
    }
  }

  void add_masses() {
    constexpr int lanes = simd::lanes<Scalar>;
    for (std::int64_t k = 0; k < padded_types(); k += lanes) {
      simd::Vector<Scalar> parts[lanes];
      for (int q = 0; q < lanes; ++q) parts[q] = simd::load(block_masses.data() + (k + q) * lanes);
      alignas(64) Scalar sums[lanes];
      simd::lane_sums<Scalar>(parts, sums);
      simd::add_fixed(sums, lanes, layout.unit.to_fixed, masses.data() + k);
    }
  }
};

template <class Scalar>
HostSums<Scalar>::HostSums(const HostColumns<Scalar>& columns, const PassLayout& layout)
    : parts_(std::make_unique<Parts>(columns, layout)) {}

template <class Scalar>
HostSums<Scalar>::~HostSums() = default;

template <class Scalar>
void HostSums<Scalar>::add_block(const Scalar* features, const Scalar* weights) {
  const simd::FlushDenormals flush;
  Parts& parts = *parts_;
  const PassLayout& layout = parts.layout;
  const bool equal_weights = all_ones(weights);
  if (equal_weights) parts.template form_memberships<true>(features, weights);
  else parts.template form_memberships<false>(features, weights);
  parts.add_masses();

  const double logs = sum_of_logs(parts.rows.total, weights, equal_weights);
  const double normalizer = weighted_sum(parts.rows.shift, weights) * std::numbers::ln2 + logs;
  const double entropy = weighted_sum(parts.rows.moment, weights) * std::numbers::ln2 - logs;
  parts.normalizer += std::llrint(normalizer * layout.normalizer.to_fixed);
  parts.entropy += std::llrint(entropy * layout.entropy.to_fixed);

  const Scalar* weighted = equal_weights ? parts.memberships.data() : parts.weighted.data();
  if (layout.parts.features) parts.features.add(features, weighted, layout.feature.to_fixed);
  if (layout.parts.hessian) parts.hessian.add(parts.memberships.data(), weighted, layout.unit.to_fixed);
}

template <class Scalar>
void HostSums<Scalar>::add_to(std::int64_t* sums) const {
  const PassLayout& layout = parts_->layout;
  for (std::int64_t k = 0; k < layout.num_types; ++k) {
    const int within = static_cast<int>(k % simd::lanes<Scalar>);
    sums[layout.masses_at() + k] += parts_->masses.data()[k - within + simd::lane_of_sum<Scalar>(within)];
  }
  sums[layout.normalizer_at()] += parts_->normalizer;
  sums[layout.entropy_at()] += parts_->entropy;
  if (layout.parts.features) parts_->features.add_to(sums + layout.features_at());
  if (layout.parts.hessian) parts_->hessian.add_to(sums + layout.hessian_at());
}

template struct HostColumns<float>;
template struct HostColumns<double>;
template class HostSums<float>;
template class HostSums<double>;

}  // namespace thalweg
