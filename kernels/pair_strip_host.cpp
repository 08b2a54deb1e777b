#include "kernels/pair_strip_host.hpp"

#include <algorithm>

#include "kernels/fixed_point.hpp"
#include "kernels/pair_logs.hpp"
#include "kernels/pair_rows_host.hpp"
#include "kernels/pair_tile_host.hpp"

namespace thalweg::host {

namespace {

/// A part of a tile with as many rows as a strip.
template <int rows>
struct Height {};

template <class Body>
void with_height(int height, const Body& body) {
  if (height == tile_rows) body(Height<tile_rows>{});
  else if (height == tile_rows / 2) body(Height<tile_rows / 2>{});
  else body(Height<tile_rows / 4>{});
}

template <class Scalar, class Score, int height, int vectors>
void store_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts, Scalar* stored,
                 double* totals) {
  Group<Scalar, vectors> shift;
  load_group(shifts, shift);
  for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
    Group<Scalar, vectors> sum = {};
    for_each_panel<Scalar, Score>(operands, rows, begin, std::min(begin + flush_columns, operands.num_columns), shift,
                                  [&](std::int64_t column, const Panel<Scalar, vectors>& exponents) {
                                    Scalar* place = stored + column * height;
#pragma GCC unroll 16
                                    for (int c = 0; c < columns_beside<vectors>; ++c)
#pragma GCC unroll 4
                                      for (int q = 0; q < vectors; ++q) {
                                        const auto value = simd::exp2<Scalar>(exponents[c * vectors + q] +
                                                                              operands.column_bias[column + c]);
                                        sum[q] += value;
                                        simd::store<Scalar>(value, place + c * height + q * simd::lanes<Scalar>);
                                      }
                                  });
    add_wide<Scalar>(sum, totals);
  }
}

/// Exponentials of the rows of a strip, the first being `rows.first`, and all columns; and their sums along the rows.
template <class Scalar, int height>
void store_strip(Height<height>, const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts,
                 Scalar* stored, double* sums) {
  constexpr int vectors = std::min(group_vectors, height / simd::lanes<Scalar>), step = vectors * simd::lanes<Scalar>;
  std::fill_n(sums, height, 0.0);
  with_score(operands.score, [&](auto score) {
    for (int at = 0; at < height; at += step)
      store_group<Scalar, decltype(score), height, vectors>(operands, {rows.tile, rows.first + at}, shifts + at,
                                                            stored + at, sums + at);
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
template <class Scalar, int height>
void add_columns(Height<height>, std::int64_t padded_columns, const Scalar* factors, const Scalar* stored, double to_fixed,
                 std::int64_t* sums) {
  constexpr int lanes = simd::lanes<Scalar>, vectors = height / lanes;
  simd::Vector<Scalar> factor[vectors];
  for (int q = 0; q < vectors; ++q) factor[q] = simd::load(factors + q * lanes);
  for (std::int64_t column = 0; column < padded_columns; column += lanes) {
    simd::Vector<Scalar> parts[lanes];
    for (int c = 0; c < lanes; ++c) {
      const Scalar* values = stored + (column + c) * height;
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
Strip<Scalar>::Strip(const PairOperands<Scalar>& operands, int height)
    : operands_(operands),
      height_(height),
      padded_columns_((operands.num_columns + simd::lanes<float> - 1) / simd::lanes<float> * simd::lanes<float>),
      exponentials_(padded_columns_ * height),
      sums_(padded_columns_) {
  std::fill_n(exponentials_.data() + operands.num_columns * height, (padded_columns_ - operands.num_columns) * height,
              Scalar(0));
  std::fill_n(sums_.data(), padded_columns_, std::int64_t{0});
}

template <class Scalar>
double Strip<Scalar>::add_tile(std::int64_t tile, const Scalar* shifts, const BiasUpdate& update, const double* alpha,
                               double bound, const StripResults<Scalar>& rows) {
  const simd::FlushDenormals flush;
  alignas(64) Scalar used[tile_rows], factors[tile_rows];
  double sums[tile_rows], mass = 0.0;
  bool has_maxima = false;
  const auto use_maxima = [&] {
    row_maxima(operands_, tile, used);
    for (Scalar& value : used) value = shift_for_maximum(value);
    has_maxima = true;
    ++fallback_tiles_;
  };
  if (shifts) std::copy_n(shifts, tile_rows, used);
  else use_maxima();
  with_height(height_, [&](auto height) {
    for (int first = 0; first < tile_rows; first += height_) {
      const auto store = [&] { store_strip(height, operands_, {tile, first}, used + first, exponentials_.data(), sums + first); };
      store();
      if (!has_maxima && !sums_are_safe(used + first, sums + first, height_)) {
        use_maxima();
        store();
      }
      for (int i = first; i < first + height_; ++i) {
        rows.logs[i] = log_of_sum(sums[i], used[i]);
        rows.biases[i] = bounded_bias<Scalar>(update.bias(i, rows.logs[i]));
        const double change = static_cast<double>(rows.biases[i]) - static_cast<double>(used[i]);
        const double factor = alpha[i] > 0.0 ? alpha[i] * std::exp2(change) : 0.0;
        factors[i] = takes_part(static_cast<double>(used[i])) ? static_cast<Scalar>(factor) : Scalar(0);
        mass += static_cast<double>(factors[i]) * sums[i];
      }
      add_columns(height, padded_columns_, factors + first, exponentials_.data(), FixedPoint::for_bound(bound).to_fixed,
                  sums_.data());
    }
  });
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
