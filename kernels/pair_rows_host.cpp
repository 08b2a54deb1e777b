#include "kernels/pair_rows_host.hpp"

#include <algorithm>

#include "kernels/pair_logs.hpp"
#include "kernels/pair_tile_host.hpp"

namespace thalweg::host {

namespace {

template <class Scalar, class Score, bool is_weighted>
void sums_of_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts, double* totals) {
  Group<Scalar> shift;
  load_group(shifts, shift);
  for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
    Group<Scalar> sum = {};
    for_each_panel<Scalar, Score>(
        operands, rows, begin, std::min(begin + flush_columns, operands.num_columns), shift,
        [&](std::int64_t column, const Panel<Scalar>& exponents) {
#pragma GCC unroll 4
          for (int c = 0; c < panel_columns; ++c)
#pragma GCC unroll 4
            for (int q = 0; q < group_vectors; ++q) {
              auto value = simd::exp2<Scalar>(exponents[c * group_vectors + q] + operands.column_bias[column + c]);
              if constexpr (is_weighted) sum[q] += value * operands.column_weights[column + c];
              else sum[q] += value;
            }
        });
    add_wide<Scalar>(sum, totals);
  }
}

template <class Scalar, class Score>
void maxima_of_group(const PairOperands<Scalar>& operands, RowGroup rows, Scalar* maxima) {
  const Group<Scalar> zero = {};
  Group<Scalar> top;
  for (auto& value : top) value = simd::broadcast(Scalar(no_bias));
  for_each_panel<Scalar, Score>(
      operands, rows, 0, operands.num_columns, zero, [&](std::int64_t column, const Panel<Scalar>& exponents) {
        for (int c = 0; c < panel_columns; ++c)
          for (int q = 0; q < group_vectors; ++q)
            top[q] = simd::max(top[q], exponents[c * group_vectors + q] + operands.column_bias[column + c]);
      });
  for (int q = 0; q < group_vectors; ++q) simd::store<Scalar>(top[q], maxima + q * simd::lanes<Scalar>);
}

template <class Scalar, class Score>
void moments_of_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts, const Scalar* weights,
                      double* moments) {
  Group<Scalar> shift;
  load_group(shifts, shift);
  for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
    Group<Scalar> sum = {}, with_exponent = {}, with_weight = {};
    for_each_panel<Scalar, Score>(operands, rows, begin, std::min(begin + flush_columns, operands.num_columns), shift,
                                  [&](std::int64_t column, const Panel<Scalar>& exponents) {
                                    for (int c = 0; c < panel_columns; ++c)
                                      for (int q = 0; q < group_vectors; ++q) {
                                        const auto exponent =
                                            exponents[c * group_vectors + q] + operands.column_bias[column + c];
                                        const auto value = simd::exp2<Scalar>(exponent);
                                        sum[q] += value;
                                        with_exponent[q] += value * exponent;
                                        with_weight[q] += value * weights[column + c];
                                      }
                                  });
    add_wide<Scalar>(sum, moments);
    add_wide<Scalar>(with_exponent, moments + tile_rows);
    add_wide<Scalar>(with_weight, moments + 2 * tile_rows);
  }
}

template <class Scalar, class Score>
void costs_of_group(const PairOperands<Scalar>& operands, RowGroup rows, const Scalar* shifts, double* sums) {
  Group<Scalar> shift, largest;
  load_group(shifts, shift);
  for (auto& value : largest) value = simd::broadcast(std::numeric_limits<Scalar>::lowest());
  for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
    Group<Scalar> sum = {};
    for_each_panel<Scalar, Score>(operands, rows, begin, std::min(begin + flush_columns, operands.num_columns), shift,
                                  [&](std::int64_t column, const Panel<Scalar>& exponents) {
                                    for (int c = 0; c < panel_columns; ++c) {
                                      const Scalar bias = operands.column_bias[column + c];
                                      if (!takes_part(static_cast<double>(bias))) continue;
                                      for (int q = 0; q < group_vectors; ++q) {
                                        const auto cost = -(exponents[c * group_vectors + q] + bias);
                                        sum[q] += cost;
                                        largest[q] = simd::max(largest[q], cost);
                                      }
                                    }
                                  });
    add_wide<Scalar>(sum, sums);
  }
  add_wide<Scalar>(largest, sums + tile_rows);
}

/// Calls body(score, first row) for the groups of a tile.
template <class Scalar, class Body>
void for_each_group(const PairOperands<Scalar>& operands, Body&& body) {
  const simd::FlushDenormals flush;
  with_score(operands.score, [&](auto score) {
    for (int at = 0; at < tile_rows; at += group_rows<Scalar>) body(score, at);
  });
}

}  // namespace

template <class Scalar>
void row_sums(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, double* sums) {
  std::fill_n(sums, tile_rows, 0.0);
  for_each_group(operands, [&](auto score, int at) {
    using Score = decltype(score);
    if (operands.column_weights) sums_of_group<Scalar, Score, true>(operands, {tile, at}, shifts + at, sums + at);
    else sums_of_group<Scalar, Score, false>(operands, {tile, at}, shifts + at, sums + at);
  });
}

template <class Scalar>
void row_maxima(const PairOperands<Scalar>& operands, std::int64_t tile, Scalar* maxima) {
  for_each_group(operands, [&](auto score, int at) {
    maxima_of_group<Scalar, decltype(score)>(operands, {tile, at}, maxima + at);
  });
}

template <class Scalar>
void row_moments(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, const Scalar* weights,
                 double* moments) {
  std::fill_n(moments, 3 * tile_rows, 0.0);
  for_each_group(operands, [&](auto score, int at) {
    moments_of_group<Scalar, decltype(score)>(operands, {tile, at}, shifts + at, weights, moments + at);
  });
}

template <class Scalar>
void row_costs(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, double* sums) {
  std::fill_n(sums, 2 * tile_rows, 0.0);
  for_each_group(operands, [&](auto score, int at) {
    costs_of_group<Scalar, decltype(score)>(operands, {tile, at}, shifts + at, sums + at);
  });
}

#define THALWEG_ROWS_HOST(Scalar)                                                                                      \
  template void row_sums<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, double*);                   \
  template void row_maxima<Scalar>(const PairOperands<Scalar>&, std::int64_t, Scalar*);                                \
  template void row_moments<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, const Scalar*, double*); \
  template void row_costs<Scalar>(const PairOperands<Scalar>&, std::int64_t, const Scalar*, double*);
THALWEG_ROWS_HOST(float)
THALWEG_ROWS_HOST(double)

}  // namespace thalweg::host
