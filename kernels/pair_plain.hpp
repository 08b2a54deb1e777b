// The plain passes over pairs, one source for every execution space: some lanes of a tile of rows against columns.
#pragma once

#include <Kokkos_Core.hpp>

#include "kernels/atomic_fixed.hpp"
#include "kernels/ordered_bits.hpp"
#include "kernels/pair_costs.hpp"
#include "kernels/pair_operands.hpp"
#include "kernels/pair_plain_panel.hpp"

namespace thalweg::plain {

/// Gathers over all columns for some lanes of a tile; work item = (tile, lanes), lanes fastest. For hosts, whose
/// compilers make vectors of the loops over lanes; devices: pair_team.hpp.
template <class Scalar, class Score, class Gather, int lanes>
struct RowPass {
  PairOperands<Scalar> operands;
  const std::int64_t* tiles;  // null: tile = first_tile + position
  std::int64_t first_tile;
  const Scalar* shifts;  // null: 0
  const Scalar* column_logs;
  double* results;  // (tile, row, which)

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    constexpr int groups = tile_rows / lanes;
    const std::int64_t position = item / groups;
    const int first_lane = static_cast<int>(item % groups) * lanes;
    Scalar shift[lanes];
    for (int i = 0; i < lanes; ++i) shift[i] = shifts ? shifts[position * tile_rows + first_lane + i] : Scalar(0);
    double* result = results + item * lanes * Gather::size;
    for (int i = 0; i < lanes * Gather::size; ++i) result[i] = start(i % Gather::size);
    for (std::int64_t chunk = 0; chunk < operands.num_columns; chunk += flush_columns) {
      Scalar values[Gather::size * lanes];
      for (int i = 0; i < lanes * Gather::size; ++i) values[i] = static_cast<Scalar>(start(i / lanes));
      gather(tiles ? tiles[position] : first_tile + position, first_lane, chunk,
             Kokkos::min(operands.num_columns, chunk + flush_columns), shift, values);
      for (int i = 0; i < lanes; ++i)
        for (int w = 0; w < Gather::size; ++w) {
          double& to = result[i * Gather::size + w];
          const auto value = static_cast<double>(values[w * lanes + i]);
          to = Gather::is_maximum(w) ? Kokkos::max(to, value) : to + value;
        }
    }
  }

  KOKKOS_FUNCTION static double start(int which) { return Gather::is_maximum(which) ? no_bias : 0.0; }

  KOKKOS_FUNCTION void gather(std::int64_t tile, int first_lane, std::int64_t begin, std::int64_t end,
                              const Scalar (&shift)[lanes], Scalar* values) const {
    for (std::int64_t column = begin; column < end; column += panel_columns<Scalar>) {
      LanePanel<Scalar, Score, lanes> panel;
      panel.form(operands, tile, first_lane, column, shift);
      for (int c = 0; c < panel_columns<Scalar>; ++c) {
        const Scalar bias = operands.column_bias[column + c];
        const Scalar of_column = Gather::of_column(operands, column_logs, column + c);
        Scalar exponent[lanes];
        for (int i = 0; i < lanes; ++i) {
          const Scalar value = panel.exponent[c][i] + bias;
          exponent[i] = Gather::is_exponential ? bounded(value) : value;
        }
        for (int i = 0; i < lanes; ++i) Gather::template add<lanes>(exponent[i], of_column, values + i);
      }
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
  double* products;  // rows x width

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    const std::int64_t panels = (width + widest - 1) / widest;
    const std::int64_t position = item / tile_rows / panels, first = item / tile_rows % panels * widest;
    const int lane = static_cast<int>(item % tile_rows),
              count = static_cast<int>(Kokkos::min<std::int64_t>(widest, width - first));
    const Scalar shift[1] = {shifts[position * tile_rows + lane]};
    double* product = products + (position * tile_rows + lane) * width + first;
    for (int w = 0; w < count; ++w) product[w] = 0.0;
    for (std::int64_t begin = 0; begin < operands.num_columns; begin += flush_columns) {
      Scalar sum[widest] = {};
      const std::int64_t end = Kokkos::min(begin + flush_columns, operands.num_columns);
      for (std::int64_t column = begin; column < end; column += panel_columns<Scalar>) {
        LanePanel<Scalar, Score, 1> panel;
        panel.form(operands, first_tile + position, lane, column, shift);
        for (int c = 0; c < panel_columns<Scalar> && column + c < end; ++c) {
          const Scalar value = exp2(bounded(panel.exponent[c][0] + operands.column_bias[column + c]));
          for (int w = 0; w < count; ++w)
            sum[w] += value * static_cast<Scalar>(values[(column + c) * width + first + w]);
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
  std::int64_t* counts;

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    const std::int64_t panels = (operands.num_columns + panel_columns<Scalar> - 1) / panel_columns<Scalar>;
    const std::int64_t position = item / tile_rows / panels, column = item / tile_rows % panels * panel_columns<Scalar>;
    const int lane = static_cast<int>(item % tile_rows);
    const Scalar shift[1] = {shifts[position * tile_rows + lane]}, absent = static_cast<Scalar>(0.5 * no_bias);
    if (shift[0] <= absent) return;
    LanePanel<Scalar, Score, 1> panel;
    panel.form(operands, first_tile + position, lane, column, shift);
    for (int c = 0; c < panel_columns<Scalar>; ++c) {
      const Scalar bias = operands.column_bias[column + c];
      const std::uint64_t bits = ordered_bits(-(panel.exponent[c][0] + bias));
      if (bias > absent && digit.matches(bits)) add_atomically(counts[digit.digit(bits)], 1);
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
    const std::int64_t first = tile * tile_rows,
                       count = Kokkos::min<std::int64_t>(tile_rows, operands.num_columns - first);
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
        score[c] = static_cast<double>(operands.dense_score(row / tile_rows, first + c, row % tile_rows));
    }
    double* to = scores + (row - first_row) * operands.num_columns + first;
    for (std::int64_t c = 0; c < count; ++c) to[c] = Score::needs_norms ? -Kokkos::sqrt(score[c]) : score[c];
  }
};

}  // namespace thalweg::plain
