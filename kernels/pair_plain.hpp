// The plain pass over pairs, one source for every execution space: a lane of a tile against a range of columns.
#pragma once

#include <Kokkos_Core.hpp>

#include "kernels/ordered_bits.hpp"
#include "kernels/pair_costs.hpp"
#include "kernels/pair_operands.hpp"

namespace thalweg::plain {

/// Columns whose exponents a lane forms side by side.
inline constexpr int panel_columns = 4;

/// kappa score + u of one row and a panel of columns; v is still to be added.
template <class Scalar, class Score>
struct LanePanel {
  Scalar exponent[panel_columns];

  KOKKOS_FUNCTION LanePanel(const PairOperands<Scalar>& operands, std::int64_t tile, int lane, std::int64_t column,
                            Scalar shift) {
    const Scalar* x = operands.row_tile(tile) + lane;
    const Scalar* y = operands.column_tile(column / tile_rows) + column % tile_rows;
    for (Scalar& value : exponent) value = Score::starts_at_shift ? shift : Scalar(0);
    if constexpr (Score::reads_features) {
      for (std::int64_t k = 0; k < operands.dimension; ++k)
        for (int c = 0; c < panel_columns; ++c)
          exponent[c] = Score::add(exponent[c], x[k * tile_rows], y[k * tile_rows + c]);
    } else {
      for (int c = 0; c < panel_columns; ++c) exponent[c] = operands.dense_column(tile, column + c)[lane];
    }
    if constexpr (Score::needs_norms)
      for (int c = 0; c < panel_columns; ++c)
        exponent[c] = -distance(operands, tile * tile_rows + lane, column + c, exponent[c]);
    if constexpr (!Score::starts_at_shift)
      for (Scalar& value : exponent) value = value * operands.kappa + shift;
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

/// Values that one row gathers over a range of columns, in double after every flush_columns.
struct RowSum {
  static constexpr int size = 1;
  static constexpr bool is_maximum(int) { return false; }

  template <class Scalar>
  KOKKOS_FUNCTION static void add(const PairOperands<Scalar>& operands, std::int64_t column, Scalar exponent,
                                  const Scalar*, Scalar* values) {
    const Scalar weight = operands.column_weights ? operands.column_weights[column] : Scalar(1);
    values[0] += weight * Kokkos::exp2(exponent);
  }
};

struct RowMaximum {
  static constexpr int size = 1;
  static constexpr bool is_maximum(int) { return true; }

  template <class Scalar>
  KOKKOS_FUNCTION static void add(const PairOperands<Scalar>&, std::int64_t, Scalar exponent, const Scalar*,
                                  Scalar* values) {
    values[0] = Kokkos::max(values[0], exponent);
  }
};

struct RowMoments {
  static constexpr int size = 3;
  static constexpr bool is_maximum(int) { return false; }

  template <class Scalar>
  KOKKOS_FUNCTION static void add(const PairOperands<Scalar>&, std::int64_t column, Scalar exponent,
                                  const Scalar* column_logs, Scalar* values) {
    const Scalar value = Kokkos::exp2(exponent);
    values[0] += value;
    values[1] += value * exponent;
    values[2] += value * column_logs[column];
  }
};

struct RowCosts {
  static constexpr int size = 2;
  static constexpr bool is_maximum(int which) { return which == 1; }

  template <class Scalar>
  KOKKOS_FUNCTION static void add(const PairOperands<Scalar>& operands, std::int64_t column, Scalar exponent,
                                  const Scalar*, Scalar* values) {
    if (operands.column_bias[column] <= Scalar(0.5 * no_bias)) return;
    values[0] -= exponent;
    values[1] = Kokkos::max(values[1], -exponent);
  }
};

/// Gathers over one slice of the columns for a lane of a tile; work item = (tile, slice, lane), lane fastest.
template <class Scalar, class Score, class Gather>
struct RowPass {
  PairOperands<Scalar> operands;
  const std::int64_t* tiles;  // null: tile = first_tile + position
  std::int64_t first_tile;
  const Scalar* shifts;       // null: 0
  const Scalar* column_logs;
  double* results;            // (tile, slice, lane, which)
  std::int64_t num_slices;

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    const std::int64_t position = item / tile_rows / num_slices, slice = item / tile_rows % num_slices;
    const int lane = static_cast<int>(item % tile_rows);
    const std::int64_t chunks = (operands.num_columns + flush_columns - 1) / flush_columns;
    const std::int64_t begin = chunks * slice / num_slices * flush_columns;
    const std::int64_t end = Kokkos::min(operands.num_columns, chunks * (slice + 1) / num_slices * flush_columns);
    const Scalar shift = shifts ? shifts[position * tile_rows + lane] : Scalar(0);
    double* result = results + item * Gather::size;
    for (int w = 0; w < Gather::size; ++w) result[w] = Gather::is_maximum(w) ? no_bias : 0.0;
    for (std::int64_t chunk = begin; chunk < end; chunk += flush_columns) {
      Scalar values[Gather::size];
      for (int w = 0; w < Gather::size; ++w) values[w] = static_cast<Scalar>(Gather::is_maximum(w) ? no_bias : 0.0);
      gather(tiles ? tiles[position] : first_tile + position, lane, chunk, Kokkos::min(end, chunk + flush_columns),
             shift, values);
      for (int w = 0; w < Gather::size; ++w)
        result[w] = Gather::is_maximum(w) ? Kokkos::max(result[w], static_cast<double>(values[w]))
                                          : result[w] + static_cast<double>(values[w]);
    }
  }

  KOKKOS_FUNCTION void gather(std::int64_t tile, int lane, std::int64_t begin, std::int64_t end, Scalar shift,
                              Scalar* values) const {
    for (std::int64_t column = begin; column < end; column += panel_columns) {
      const LanePanel<Scalar, Score> panel(operands, tile, lane, column, shift);
      for (int c = 0; c < panel_columns; ++c)
        Gather::add(operands, column + c, panel.exponent[c] + operands.column_bias[column + c], column_logs, values);
    }
  }
};

/// products(row, w) = sum_j 2^s_ij V_jw for a few columns of V; work item = (tile, panel of V, lane), lane fastest.
template <class Scalar, class Score>
struct ApplyPass {
  static constexpr int widest = 8;

  PairOperands<Scalar> operands;
  std::int64_t first_tile;
  const Scalar* shifts;
  const double* values;  // num_columns x width
  std::int64_t width;
  double* products;      // rows x width

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    const std::int64_t panels = (width + widest - 1) / widest;
    const std::int64_t position = item / tile_rows / panels, first = item / tile_rows % panels * widest;
    const int lane = static_cast<int>(item % tile_rows), count = static_cast<int>(Kokkos::min<std::int64_t>(widest, width - first));
    const Scalar shift = shifts[position * tile_rows + lane];
    double* product = products + (position * tile_rows + lane) * width + first;
    for (int w = 0; w < count; ++w) product[w] = 0.0;
    for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
      Scalar sum[widest] = {};
      const std::int64_t end = Kokkos::min(begin + flush_columns, operands.num_columns);
      for (std::int64_t column = begin; column < end; column += panel_columns) {
        const LanePanel<Scalar, Score> panel(operands, first_tile + position, lane, column, shift);
        for (int c = 0; c < panel_columns && column + c < end; ++c) {
          const Scalar value = Kokkos::exp2(panel.exponent[c] + operands.column_bias[column + c]);
          for (int w = 0; w < count; ++w) sum[w] += value * static_cast<Scalar>(values[(column + c) * width + first + w]);
        }
      }
      for (int w = 0; w < count; ++w) product[w] += static_cast<double>(sum[w]);
    }
  }
};

/// Counts of the digits of -s_ij; work item = (tile, panel of columns, lane), lane fastest.
template <class Scalar, class Score>
struct CountPass {
  PairOperands<Scalar> operands;
  std::int64_t first_tile;
  const Scalar* shifts;
  RadixDigit digit;
  unsigned long long* counts;

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    const std::int64_t panels = (operands.num_columns + panel_columns - 1) / panel_columns;
    const std::int64_t position = item / tile_rows / panels, column = item / tile_rows % panels * panel_columns;
    const int lane = static_cast<int>(item % tile_rows);
    const Scalar shift = shifts[position * tile_rows + lane], absent = static_cast<Scalar>(0.5 * no_bias);
    if (shift <= absent) return;
    const LanePanel<Scalar, Score> panel(operands, first_tile + position, lane, column, shift);
    for (int c = 0; c < panel_columns; ++c) {
      const Scalar bias = operands.column_bias[column + c];
      const std::uint64_t bits = ordered_bits(-(panel.exponent[c] + bias));
      if (bias > absent && digit.matches(bits)) Kokkos::atomic_add(counts + digit.digit(bits), 1ull);
    }
  }
};

/// Scores in double of one row and one tile of columns; work item = (row, tile of columns).
template <class Scalar, class Score>
struct ScorePass {
  PairOperands<Scalar> operands;
  std::int64_t first_row;
  double* scores;  // rows x num_columns

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    const std::int64_t row = first_row + item / operands.column_tiles(), tile = item % operands.column_tiles();
    const std::int64_t first = tile * tile_rows, count = Kokkos::min<std::int64_t>(tile_rows, operands.num_columns - first);
    double score[tile_rows] = {};
    if constexpr (Score::reads_features) {
      const Scalar* x = operands.row_tile(row / tile_rows) + row % tile_rows;
      const Scalar* y = operands.column_tile(tile);
      for (std::int64_t k = 0; k < operands.dimension; ++k) {
        const double entry = static_cast<double>(x[k * tile_rows]);
        for (int c = 0; c < tile_rows; ++c) {
          const double other = static_cast<double>(y[k * tile_rows + c]);
          if constexpr (Score::needs_norms) score[c] += (entry - other) * (entry - other);
          else score[c] = Score::add(score[c], entry, other);
        }
      }
    } else {
      for (std::int64_t c = 0; c < count; ++c)
        score[c] = static_cast<double>(operands.dense_column(row / tile_rows, first + c)[row % tile_rows]);
    }
    double* to = scores + (row - first_row) * operands.num_columns + first;
    for (std::int64_t c = 0; c < count; ++c) to[c] = Score::needs_norms ? -Kokkos::sqrt(score[c]) : score[c];
  }
};

}  // namespace thalweg::plain
