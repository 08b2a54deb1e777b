// The plain gathers of devices: a team of threads for a tile of rows and a slice of the columns.
#pragma once

#include <Kokkos_Core.hpp>

#include "kernels/pair_costs.hpp"
#include "kernels/pair_operands.hpp"
#include "kernels/pair_plain_panel.hpp"

namespace thalweg::plain {

/// Values that are read together.
template <class Scalar>
struct alignas(4 * sizeof(Scalar)) Quad {
  Scalar values[4];
};

/// Gathers over one slice of the columns for one tile of rows; league = (slice, position of the tile), position fastest.
/// The team takes tiles of columns one after another, with the features of both tiles in its scratch memory, `depth` of
/// them at a time; a thread forms 8 x 8 of the pairs in registers.
template <class Scalar, class Score, class Gather>
struct TeamRowPass {
  static constexpr int edge = 8, groups = tile_rows / edge, team_size = groups * groups;
  static constexpr bool is_float = sizeof(Scalar) == sizeof(float);
  static constexpr int depth = is_float ? 32 : 16;
  static constexpr int teams_at_once = is_float && Gather::size == 1 ? 6 : 4;
  static constexpr std::size_t piece = static_cast<std::size_t>(depth * tile_rows);  // values of a tile in scratch
  static constexpr std::size_t scratch_bytes =
      Kokkos::max(2 * piece * sizeof(Scalar), groups * tile_rows * Gather::size * sizeof(double));
  static constexpr std::size_t scratch_alignment = sizeof(Quad<Scalar>);

  PairOperands<Scalar> operands;
  const std::int64_t* tiles;  // null: tile = first_tile + position
  std::int64_t first_tile, num_tiles;
  const Scalar* shifts;  // null: 0
  const Scalar* column_logs;
  double* results;  // (slice, position, row, which)

  /// The rows, or columns, of a group within its tile: two quads.
  KOKKOS_FUNCTION static constexpr int member_of(int group, int i) { return i / 4 * (tile_rows / 2) + group * 4 + i % 4; }

  KOKKOS_FUNCTION static void copy(int thread, const Scalar* from, int num_features, Scalar* to) {
    const auto* source = reinterpret_cast<const Quad<Scalar>*>(from);
    auto* target = reinterpret_cast<Quad<Scalar>*>(to);
    for (int i = thread; i < num_features * tile_rows / 4; i += team_size) target[i] = source[i];
  }

  /// Adds the features in scratch.
  KOKKOS_FUNCTION static void add_features(const Scalar* x, const Scalar* y, int size, Scalar (&sum)[edge][edge]) {
    for (int k = 0; k < size; ++k) {
      Quad<Scalar> rows[2], columns[2];
      for (int half = 0; half < 2; ++half) {
        rows[half] = *reinterpret_cast<const Quad<Scalar>*>(x + k * tile_rows + half * (tile_rows / 2));
        columns[half] = *reinterpret_cast<const Quad<Scalar>*>(y + k * tile_rows + half * (tile_rows / 2));
      }
      for (int c = 0; c < edge; ++c)
        for (int i = 0; i < edge; ++i)
          sum[c][i] = Score::add(sum[c][i], rows[i / 4].values[i % 4], columns[c / 4].values[c % 4]);
    }
  }

  /// kappa score + u of the thread's pairs. Called by the whole team.
  template <class Member>
  KOKKOS_FUNCTION void form(const Member& member, std::int64_t tile, std::int64_t column, bool is_first, Scalar* scratch,
                            const Scalar (&shift)[edge], Scalar (&exponent)[edge][edge]) const {
    const int thread = member.team_rank(), of_rows = thread / groups, of_columns = thread % groups;
    for (int c = 0; c < edge; ++c)
      for (int i = 0; i < edge; ++i) exponent[c][i] = Score::starts_at_shift ? shift[i] : Scalar(0);
    if constexpr (Score::reads_features) {
      const Scalar* x = operands.row_tile(tile);
      const Scalar* y = operands.column_tile(column / tile_rows);
      const int dimension = static_cast<int>(operands.dimension);
      for (int first = 0; first < dimension; first += depth) {
        const int size = dimension - first < depth ? dimension - first : depth;
        member.team_barrier();
        if (is_first || dimension > depth) copy(thread, x + first * tile_rows, size, scratch);
        copy(thread, y + first * tile_rows, size, scratch + piece);
        member.team_barrier();
        add_features(scratch + of_rows * 4, scratch + piece + of_columns * 4, size, exponent);
      }
    } else {
      for (int c = 0; c < edge; ++c)
        for (int i = 0; i < edge; ++i)
          exponent[c][i] = operands.dense_column(tile, column + member_of(of_columns, c))[member_of(of_rows, i)];
    }
    if constexpr (Score::needs_norms)
      for (int c = 0; c < edge; ++c)
        for (int i = 0; i < edge; ++i)
          exponent[c][i] = -LanePanel<Scalar, Score, 1>::distance(
              operands, tile * tile_rows + member_of(of_rows, i), column + member_of(of_columns, c), exponent[c][i]);
    if constexpr (!Score::starts_at_shift)
      for (int c = 0; c < edge; ++c)
        for (int i = 0; i < edge; ++i) exponent[c][i] = exponent[c][i] * operands.kappa + shift[i];
  }

  KOKKOS_FUNCTION void gather(const Scalar (&exponent)[edge][edge], std::int64_t column, int of_columns,
                              Scalar* values) const {
    for (int c = 0; c < edge; ++c) {
      const std::int64_t j = column + member_of(of_columns, c);
      const Scalar bias = operands.column_bias[j], of_column = Gather::of_column(operands, column_logs, j);
      for (int i = 0; i < edge; ++i) {
        const Scalar value = exponent[c][i] + bias;
        Gather::template add<edge>(Gather::is_exponential ? bounded(value) : value, of_column, values + i);
      }
    }
  }

  KOKKOS_FUNCTION static double start(int which) { return Gather::is_maximum(which) ? no_bias : 0.0; }
  KOKKOS_FUNCTION static double joined(int which, double a, double b) {
    return Gather::is_maximum(which) ? Kokkos::max(a, b) : a + b;
  }

  /// Joins what the threads of a row have gathered, in their order.
  template <class Member>
  KOKKOS_FUNCTION void store(const Member& member, const double (&totals)[Gather::size * edge], double* scratch) const {
    const int thread = member.team_rank(), of_rows = thread / groups, of_columns = thread % groups;
    member.team_barrier();
    for (int w = 0; w < Gather::size; ++w)
      for (int i = 0; i < edge; ++i)
        scratch[(of_columns * Gather::size + w) * tile_rows + member_of(of_rows, i)] = totals[w * edge + i];
    member.team_barrier();
    static_assert(team_size == tile_rows);
    for (int w = 0; w < Gather::size; ++w) {
      double value = start(w);
      for (int group = 0; group < groups; ++group)
        value = joined(w, value, scratch[(group * Gather::size + w) * tile_rows + thread]);
      results[(member.league_rank() * std::int64_t{tile_rows} + thread) * Gather::size + w] = value;
    }
  }

  template <class Member>
  KOKKOS_FUNCTION void operator()(const Member& member) const {
    const std::int64_t position = member.league_rank() % num_tiles, slice = member.league_rank() / num_tiles;
    const std::int64_t tile = tiles ? tiles[position] : first_tile + position;
    const int of_rows = member.team_rank() / groups, of_columns = member.team_rank() % groups;
    const std::size_t bytes = scratch_bytes, alignment = scratch_alignment;  // taken by reference
    void* scratch = member.team_scratch(0).get_shmem_aligned(bytes, alignment);
    Scalar shift[edge], values[Gather::size * edge];
    double totals[Gather::size * edge];
    for (int i = 0; i < edge; ++i)
      shift[i] = shifts ? shifts[position * tile_rows + member_of(of_rows, i)] : Scalar(0);
    for (int i = 0; i < Gather::size * edge; ++i) {
      totals[i] = start(i / edge);
      values[i] = static_cast<Scalar>(totals[i]);
    }
    const ColumnSlice columns = slice_of_columns(operands.num_columns, slice);
    for (std::int64_t column = columns.begin; column < columns.end; column += tile_rows) {
      Scalar exponent[edge][edge];
      form(member, tile, column, column == columns.begin, static_cast<Scalar*>(scratch), shift, exponent);
      gather(exponent, column, of_columns, values);
      if ((column + tile_rows) % flush_columns != 0 && column + tile_rows < columns.end) continue;
      for (int i = 0; i < Gather::size * edge; ++i) {
        totals[i] = joined(i / edge, totals[i], static_cast<double>(values[i]));
        values[i] = static_cast<Scalar>(start(i / edge));
      }
    }
    store(member, totals, static_cast<double*>(scratch));
  }
};

/// Joins the slices of a pass; work item = one value of the first.
template <class Gather>
struct JoinSlices {
  const double* parts;  // (slice, item)
  std::int64_t num_items, num_slices;
  double* results;

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    double value = parts[item];
    for (std::int64_t slice = 1; slice < num_slices; ++slice) {
      const double part = parts[slice * num_items + item];
      value = Gather::is_maximum(static_cast<int>(item % Gather::size)) ? Kokkos::max(value, part) : value + part;
    }
    results[item] = value;
  }
};

}  // namespace thalweg::plain
