// What the plain passes form for a few lanes of rows and a panel of columns, and what they gather from it.
#pragma once

#include <Kokkos_Core.hpp>
#include <bit>

#include "kernels/exp2_polynomial.hpp"
#include "kernels/ordered_bits.hpp"
#include "kernels/pair_costs.hpp"
#include "kernels/pair_operands.hpp"

namespace thalweg::plain {

/// Columns side by side, and rows of a work item on a host, where the loop over them becomes vector instructions:
/// as many accumulators as fit into 32 registers of 64 bytes.
template <class Scalar>
inline constexpr int panel_columns = sizeof(Scalar) == sizeof(float) ? 8 : 4;
inline constexpr int host_lanes = 32;

/// Larger exponents are taken for this one, which makes a sum large enough to be noticed.
template <class Scalar>
inline constexpr Scalar largest_exponent = sizeof(Scalar) == sizeof(float) ? Scalar(126) : Scalar(1022);

template <class Scalar>
KOKKOS_INLINE_FUNCTION Scalar bounded(Scalar exponent) {
  return exponent > largest_exponent<Scalar> ? largest_exponent<Scalar> : exponent;
}

/// 2^x for x up to largest_exponent, as compilers can vectorise it (with two bounds they would branch); below its
/// opposite the smallest power.
template <class Scalar>
KOKKOS_FUNCTION inline Scalar exp2_by_polynomial(Scalar unbounded) {
  using Bits = BitsOf<Scalar>;
  constexpr bool is_float = sizeof(Scalar) == sizeof(float);
  constexpr Scalar rounder = is_float ? Scalar(12582912) : Scalar(6755399441055744);
  const Scalar x = unbounded < -largest_exponent<Scalar> ? -largest_exponent<Scalar> : unbounded;
  const Scalar biased = x + rounder, t = x - (biased - rounder);
  const Bits bits = std::bit_cast<Bits>(exp2_polynomial(t)) + (std::bit_cast<Bits>(biased) << (is_float ? 23 : 52));
  return std::bit_cast<Scalar>(bits);
}

template <class Scalar>
KOKKOS_INLINE_FUNCTION Scalar exp2(Scalar x) {
  KOKKOS_IF_ON_HOST((return exp2_by_polynomial(x);))
  KOKKOS_IF_ON_DEVICE((return Kokkos::exp2(x);))
}

/// kappa score + u of some rows and a panel of columns; v is still to be added.
template <class Scalar, class Score, int lanes>
struct LanePanel {
  Scalar exponent[panel_columns<Scalar>][lanes];

  KOKKOS_FUNCTION void form(const PairOperands<Scalar>& operands, std::int64_t tile, int first_lane,
                            std::int64_t column, const Scalar (&shift)[lanes]) {
    constexpr int columns = panel_columns<Scalar>;
    if constexpr (Score::reads_features) {
      Scalar sum[columns][lanes];  // of its own, or it would not stay in registers
      for (int c = 0; c < columns; ++c)
        for (int i = 0; i < lanes; ++i) sum[c][i] = Score::starts_at_shift ? shift[i] : Scalar(0);
      const Scalar* x = operands.row_tile(tile) + first_lane;
      const Scalar* y = operands.column_tile(column / tile_rows) + column % tile_rows;
      for (std::int64_t k = 0; k < operands.dimension; ++k)
        for (int c = 0; c < columns; ++c) {
          const Scalar entry = y[k * tile_rows + c];
          for (int i = 0; i < lanes; ++i) sum[c][i] = Score::add(sum[c][i], x[k * tile_rows + i], entry);
        }
      for (int c = 0; c < columns; ++c)
        for (int i = 0; i < lanes; ++i) exponent[c][i] = sum[c][i];
    } else {
      for (int c = 0; c < columns; ++c)
        for (int i = 0; i < lanes; ++i) exponent[c][i] = operands.dense_score(tile, column + c, first_lane + i);
    }
    if constexpr (Score::needs_norms)
      for (int c = 0; c < columns; ++c)
        for (int i = 0; i < lanes; ++i)
          exponent[c][i] = -distance(operands, tile * tile_rows + first_lane + i, column + c, exponent[c][i]);
    if constexpr (!Score::starts_at_shift)
      for (int c = 0; c < columns; ++c)
        for (int i = 0; i < lanes; ++i) exponent[c][i] = exponent[c][i] * operands.kappa + shift[i];
  }

  KOKKOS_FUNCTION static Scalar distance(const PairOperands<Scalar>& operands, std::int64_t row, std::int64_t column,
                                         Scalar product) {
    const Scalar norms = operands.row_norms[row] + operands.column_norms[column];
    Scalar squares = norms - Scalar(2) * product;
    if (squares < Scalar(EuclideanScore::cancelled) * norms) {
      squares = 0;
      const Scalar* x = operands.row_tile(row / tile_rows) + row % tile_rows;
      const Scalar* y = operands.column_tile(column / tile_rows) + column % tile_rows;
      for (std::int64_t k = 0; k < operands.dimension; ++k) {
        const Scalar difference = x[k * tile_rows] - y[k * tile_rows];
        squares += difference * difference;
      }
    }
    return Kokkos::sqrt(squares);
  }
};

/// What is gathered of every row: `size` values, `stride` apart, each a sum or a maximum, of the exponents or of their
/// exponentials.
struct RowSum {
  static constexpr int size = 1;
  static constexpr bool is_exponential = true;
  static constexpr bool is_maximum(int) { return false; }

  template <class Scalar>
  KOKKOS_FUNCTION static Scalar of_column(const PairOperands<Scalar>& operands, const Scalar*, std::int64_t column) {
    return operands.column_weights ? operands.column_weights[column] : Scalar(1);
  }
  template <int stride, class Scalar>
  KOKKOS_FUNCTION static void add(Scalar exponent, Scalar weight, Scalar* values) {
    values[0] += weight * exp2(exponent);
  }
};

struct RowMaximum {
  static constexpr int size = 1;
  static constexpr bool is_exponential = false;
  static constexpr bool is_maximum(int) { return true; }

  template <class Scalar>
  KOKKOS_FUNCTION static Scalar of_column(const PairOperands<Scalar>&, const Scalar*, std::int64_t) {
    return 0;
  }
  template <int stride, class Scalar>
  KOKKOS_FUNCTION static void add(Scalar exponent, Scalar, Scalar* values) {
    values[0] = Kokkos::max(values[0], exponent);
  }
};

struct RowMoments {
  static constexpr int size = 3;
  static constexpr bool is_exponential = true;
  static constexpr bool is_maximum(int) { return false; }

  template <class Scalar>
  KOKKOS_FUNCTION static Scalar of_column(const PairOperands<Scalar>&, const Scalar* column_logs, std::int64_t column) {
    return column_logs[column];
  }
  template <int stride, class Scalar>
  KOKKOS_FUNCTION static void add(Scalar exponent, Scalar column_log, Scalar* values) {
    const Scalar value = exp2(exponent);
    values[0] += value;
    values[stride] += value * Kokkos::max(exponent, -largest_exponent<Scalar>);
    values[2 * stride] += value * column_log;
  }
};

struct RowCosts {
  static constexpr int size = 2;
  static constexpr bool is_exponential = false;
  static constexpr bool is_maximum(int which) { return which == 1; }

  template <class Scalar>
  KOKKOS_FUNCTION static Scalar of_column(const PairOperands<Scalar>& operands, const Scalar*, std::int64_t column) {
    return operands.column_bias[column] > Scalar(0.5 * no_bias) ? Scalar(1) : Scalar(0);
  }
  template <int stride, class Scalar>
  KOKKOS_FUNCTION static void add(Scalar exponent, Scalar takes_part, Scalar* values) {
    if (!(takes_part > Scalar(0))) return;
    values[0] -= exponent;
    values[stride] = Kokkos::max(values[stride], -exponent);
  }
};

}  // namespace thalweg::plain
