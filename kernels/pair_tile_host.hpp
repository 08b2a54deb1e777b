// Register tiles of exponents on the host: rows of a tile in vector lanes, a few columns broadcast.
#pragma once

#include "kernels/pair_costs.hpp"
#include "kernels/pair_operands.hpp"
#include "kernels/simd_exp2.hpp"

namespace thalweg::host {

/// A group of rows and a panel of columns at once: 4 x 4 accumulators, 4 rows and a column in 32 vector registers,
/// 2 x 4, 2 and 1 in 16. Where fewer rows must do, groups have fewer vectors.
inline constexpr int group_vectors = simd::vector_bytes == 64 ? 4 : 2;
inline constexpr int panel_columns = 4;
template <class Scalar>
inline constexpr int group_rows = group_vectors* simd::lanes<Scalar>;
static_assert(tile_rows % group_rows<float> == 0 && tile_rows % group_rows<double> == 0 &&
              tile_rows % panel_columns == 0);

/// Columns that keep as many accumulators busy where a group has fewer vectors.
template <int vectors>
inline constexpr int columns_beside = panel_columns* group_vectors / vectors;
static_assert(flush_columns % columns_beside<1> == 0);

template <class Scalar, int vectors = group_vectors>
using Group = simd::Vector<Scalar>[vectors];
template <class Scalar, int vectors = group_vectors>
using Panel = simd::Vector<Scalar>[columns_beside<vectors> * vectors];  // column by column

/// The rows of a pass: a group of one tile, from a row of it on.
struct RowGroup {
  std::int64_t tile = 0;
  int first = 0;
};

template <class Scalar, int vectors>
inline void load_group(const Scalar* from, Group<Scalar, vectors>& to) {
  for (int q = 0; q < vectors; ++q) to[q] = simd::load(from + q * simd::lanes<Scalar>);
}

/// totals += sum, one double a row.
template <class Scalar, int vectors>
inline void add_wide(const Group<Scalar, vectors>& sum, double* totals) {
  alignas(64) Scalar values[vectors * simd::lanes<Scalar>];
  for (int q = 0; q < vectors; ++q) simd::store<Scalar>(sum[q], values + q * simd::lanes<Scalar>);
  for (int i = 0; i < vectors * simd::lanes<Scalar>; ++i) totals[i] += static_cast<double>(values[i]);
}

/// sum[c][q] = accumulated features of the group's rows and the panel's columns, from the given start.
template <class Scalar, class Score, int vectors>
inline void accumulate_panel(const PairOperands<Scalar>& operands, RowGroup rows, std::int64_t column,
                             const Group<Scalar, vectors>& start, Panel<Scalar, vectors>& sum) {
  const Scalar* x = operands.row_tile(rows.tile) + rows.first;
  const Scalar* y = operands.column_tile(column / tile_rows) + column % tile_rows;
  simd::Vector<Scalar> total[columns_beside<vectors> * vectors];
#pragma GCC unroll 16
  for (int i = 0; i < columns_beside<vectors> * vectors; ++i) total[i] = start[i % vectors];
  for (std::int64_t k = 0; k < operands.dimension; ++k) {
    simd::Vector<Scalar> row[vectors];
    for (int q = 0; q < vectors; ++q)
      row[q] = simd::in_register(simd::load(x + k * tile_rows + q * simd::lanes<Scalar>));
    for (int c = 0; c < columns_beside<vectors>; ++c) {
      const auto entry = simd::in_register(simd::broadcast(y[k * tile_rows + c]));
      for (int q = 0; q < vectors; ++q)
        total[c * vectors + q] = Score::add(total[c * vectors + q], row[q], entry);
    }
  }
#pragma GCC unroll 16  // early, or the accumulators get an address and go through memory
  for (int i = 0; i < columns_beside<vectors> * vectors; ++i) sum[i] = total[i];
}

/// Squared distances of those lanes of one vector that `lost` marks, from differences.
template <class Scalar>
simd::Vector<Scalar> squares_of_differences(const PairOperands<Scalar>& operands, std::int64_t first_row,
                                            std::int64_t column, simd::IntegerVector<Scalar> lost,
                                            simd::Vector<Scalar> squares) {
  const Scalar* x = operands.row_tile(first_row / tile_rows) + first_row % tile_rows;
  const Scalar* y = operands.column_tile(column / tile_rows) + column % tile_rows;
  for (int lane = 0; lane < simd::lanes<Scalar>; ++lane) {
    if (!lost[lane]) continue;
    Scalar sum = 0;
    for (std::int64_t k = 0; k < operands.dimension; ++k) {
      const Scalar difference = x[k * tile_rows + lane] - y[k * tile_rows];
      sum += difference * difference;
    }
    squares[lane] = sum;
  }
  return squares;
}

template <class Scalar>
inline bool any_lane(simd::IntegerVector<Scalar> mask) {
  std::int64_t words[sizeof(mask) / sizeof(std::int64_t)], any = 0;
  std::memcpy(words, &mask, sizeof(mask));
  for (const std::int64_t word : words) any |= word;
  return any != 0;
}

/// Turns dot products into negative distances.
template <class Scalar, int vectors>
inline void distances_of_panel(const PairOperands<Scalar>& operands, RowGroup rows, std::int64_t column,
                               Panel<Scalar, vectors>& score) {
  const std::int64_t first = rows.tile * tile_rows + rows.first;
  for (int c = 0; c < columns_beside<vectors>; ++c)
    for (int q = 0; q < vectors; ++q) {
      const std::int64_t row = first + q * simd::lanes<Scalar>;
      const auto norms = simd::load(operands.row_norms + row) + operands.column_norms[column + c];
      simd::Vector<Scalar>& value = score[c * vectors + q];
      simd::Vector<Scalar> squares = norms - Scalar(2) * value;
      const simd::IntegerVector<Scalar> lost = squares < Scalar(EuclideanScore::cancelled) * norms;
      if (any_lane<Scalar>(lost)) squares = squares_of_differences(operands, row, column + c, lost, squares);
      value = -simd::sqrt(squares);
    }
}

/// Stored scores of the group's rows and the panel's columns.
template <class Scalar, int vectors>
inline void load_panel(const PairOperands<Scalar>& operands, RowGroup rows, std::int64_t column, Panel<Scalar, vectors>& score) {
  const std::int64_t first = operands.dense_place(rows.tile, column) + rows.first;
  const auto load_from = [&](const auto* scores) {
    for (int c = 0; c < columns_beside<vectors>; ++c)
      for (int q = 0; q < vectors; ++q)
        score[c * vectors + q] =
            simd::load_as<Scalar>(scores + first + c * tile_rows + q * simd::lanes<Scalar>);
  };
  if (operands.dense_floats) load_from(operands.dense_floats);
  else load_from(operands.dense);
}

/// exponent[c][q] = kappa score + u of the group's rows and the panel's columns.
template <class Scalar, class Score, int vectors>
inline void exponents_of_panel(const PairOperands<Scalar>& operands, RowGroup rows, std::int64_t column,
                               const Group<Scalar, vectors>& shift, Panel<Scalar, vectors>& exponent) {
  if constexpr (Score::starts_at_shift) {
    accumulate_panel<Scalar, Score, vectors>(operands, rows, column, shift, exponent);
  } else {
    if constexpr (Score::reads_features) {
      const Group<Scalar, vectors> zero = {};
      accumulate_panel<Scalar, Score, vectors>(operands, rows, column, zero, exponent);
    } else {
      load_panel<Scalar, vectors>(operands, rows, column, exponent);
    }
    if constexpr (Score::needs_norms) distances_of_panel<Scalar, vectors>(operands, rows, column, exponent);
    for (int c = 0; c < columns_beside<vectors>; ++c)
      for (int q = 0; q < vectors; ++q)
        exponent[c * vectors + q] = exponent[c * vectors + q] * operands.kappa + shift[q];
  }
}

/// Calls consume(column, exponents) for the columns [begin, end) of a pass, panel by panel; v is still to be added.
template <class Scalar, class Score, int vectors, class Consume>
inline void for_each_panel(const PairOperands<Scalar>& operands, RowGroup rows, std::int64_t begin, std::int64_t end,
                           const Group<Scalar, vectors>& shift, Consume&& consume) {
  for (std::int64_t column = begin; column < end; column += columns_beside<vectors>) {
    Panel<Scalar, vectors> exponents;
    exponents_of_panel<Scalar, Score, vectors>(operands, rows, column, shift, exponents);
    consume(column, exponents);
  }
}

}  // namespace thalweg::host
