#include "kernels/pair_strip_host.hpp"

#include <algorithm>

#include "kernels/fixed_point.hpp"
#include "kernels/pair_logs.hpp"
#include "kernels/pair_rows_host.hpp"
#include "kernels/pair_tile_host.hpp"

namespace thalweg::host {

namespace {

template <class Scalar, class Score>
void store_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts, Scalar* stored,
                 double* totals) {
  Group<Scalar> shift;
  load_group(shifts, shift);
  for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
    Group<Scalar> sum = {};
    for_each_panel<Scalar, Score>(operands, rows, begin, std::min(begin + flush_columns, operands.num_columns), shift,
                                  [&](std::int64_t column, const Panel<Scalar>& exponents) {
                                    Scalar* place = stored + column * tile_rows;
#pragma GCC unroll 4
                                    for (int c = 0; c < panel_columns; ++c)
#pragma GCC unroll 4
                                      for (int q = 0; q < group_vectors; ++q) {
                                        const auto value = simd::exp2<Scalar>(exponents[c * group_vectors + q] +
                                                                              operands.column_bias[column + c]);
                                        sum[q] += value;
                                        simd::store<Scalar>(value, place + c * tile_rows + q * simd::lanes<Scalar>);
                                      }
                                  });
    add_wide<Scalar>(sum, totals);
  }
}

/// Exponentials of a tile of rows and all columns, and their sums along the rows.
template <class Scalar>
void store_tile(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, Scalar* stored,
                double* sums) {
  std::fill_n(sums, tile_rows, 0.0);
  with_score(operands.score, [&](auto score) {
    for (int group = 0; group < groups_per_tile<Scalar>; ++group) {
      const int at = group * group_rows<Scalar>;
      store_group<Scalar, decltype(score)>(operands, {tile, group}, shifts + at, stored + at, sums + at);
    }
  });
}

/// sums[i] += the integers nearest to values[i] scale; values are not negative. Sums wrap around where the mass is beyond
/// its bound; the pass is then repeated.
template <class Scalar>
void add_nearest(const Scalar* values, int count, double scale, std::int64_t* sums) {
  for (int i = 0; i < count; i += simd::lanes<double>) {
    typedef std::uint64_t Wrapping __attribute__((vector_size(simd::vector_bytes)));
    Wrapping sum;
    std::memcpy(&sum, sums + i, sizeof(sum));
    const auto terms = __builtin_convertvector(simd::load_wide(values + i) * scale + 0.5, simd::IntegerVector<double>);
    sum += reinterpret_cast<Wrapping>(terms);
    std::memcpy(sums + i, &sum, sizeof(sum));
  }
}

/// sums[j] += sum_i factor_i stored_ij for the columns, lanes<Scalar> of them reduced together.
template <class Scalar>
void add_columns(std::int64_t padded_columns, const Scalar* factors, const Scalar* stored, double to_fixed,
                 std::int64_t* sums) {
  constexpr int lanes = simd::lanes<Scalar>, vectors = tile_rows / lanes;
  simd::Vector<Scalar> factor[vectors];
  for (int q = 0; q < vectors; ++q) factor[q] = simd::load(factors + q * lanes);
  for (std::int64_t column = 0; column < padded_columns; column += lanes) {
    simd::Vector<Scalar> parts[lanes];
    for (int c = 0; c < lanes; ++c) {
      const Scalar* values = stored + (column + c) * tile_rows;
      parts[c] = simd::load(values) * factor[0];
      for (int q = 1; q < vectors; ++q) parts[c] += simd::load(values + q * lanes) * factor[q];
    }
    alignas(64) Scalar reduced[lanes];
    simd::lane_sums<Scalar>(parts, reduced);
    add_nearest(reduced, lanes, to_fixed, sums + column);
  }
}

}  // namespace

template <class Scalar>
Strip<Scalar>::Strip(const PairOperands<Scalar>& operands)
    : operands_(operands),
      padded_columns_((operands.num_columns + simd::lanes<float> - 1) / simd::lanes<float> * simd::lanes<float>),
      exponentials_(padded_columns_ * tile_rows),
      sums_(padded_columns_) {
  std::fill_n(exponentials_.data() + operands.num_columns * tile_rows,
              (padded_columns_ - operands.num_columns) * tile_rows, Scalar(0));
  std::fill_n(sums_.data(), padded_columns_, std::int64_t{0});
}

template <class Scalar>
double Strip<Scalar>::add_tile(std::int64_t tile, const Scalar* shifts, const BiasUpdate& update, const double* alpha,
                               double bound, const StripResults<Scalar>& rows) {
  const simd::FlushDenormals flush;
  alignas(64) Scalar used[tile_rows], factors[tile_rows];
  double sums[tile_rows];
  bool is_safe = false;
  if (shifts) {
    std::copy_n(shifts, tile_rows, used);
    store_tile(operands_, tile, used, exponentials_.data(), sums);
    is_safe = sums_are_safe(used, sums);
  }
  if (!is_safe) {
    row_maxima(operands_, tile, used);
    for (Scalar& value : used) value = shift_for_maximum(value);
    store_tile(operands_, tile, used, exponentials_.data(), sums);
    ++fallback_tiles_;
  }
  double mass = 0.0;
  for (int i = 0; i < tile_rows; ++i) {
    rows.logs[i] = log_of_sum(sums[i], used[i]);
    rows.biases[i] = bounded_bias<Scalar>(update.bias(i, rows.logs[i]));
    const double change = static_cast<double>(rows.biases[i]) - static_cast<double>(used[i]);
    const double factor = alpha[i] > 0.0 ? alpha[i] * std::exp2(change) : 0.0;
    factors[i] = takes_part(static_cast<double>(used[i])) ? static_cast<Scalar>(factor) : Scalar(0);
    mass += static_cast<double>(factors[i]) * sums[i];
  }
  add_columns(padded_columns_, factors, exponentials_.data(), FixedPoint::for_bound(bound).to_fixed, sums_.data());
  return mass;
}

template <class Scalar>
void Strip<Scalar>::add_to(std::int64_t* sums) const {
  for (std::int64_t j = 0; j < operands_.num_columns; ++j) {
    const int within = static_cast<int>(j % simd::lanes<Scalar>);
    const std::int64_t own = sums_.data()[j - within + simd::lane_of_sum<Scalar>(within)];
    sums[j] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sums[j]) + static_cast<std::uint64_t>(own));
  }
}

template class Strip<float>;
template class Strip<double>;

}  // namespace thalweg::host
