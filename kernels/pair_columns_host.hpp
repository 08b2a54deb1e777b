// Passes down the columns of stored costs, whose tiles are of rows, over one tile of rows. No Kokkos: plain vectors.
#pragma once

#include <cstdint>

#include "kernels/cost_tiles.hpp"

namespace thalweg::host {

/// sums[j - begin] += sum_i weight_i 2^s_ij of some columns. @param shifts, weights  u and weight, tile_rows each
template <class Scalar>
void add_column_sums(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
                     const Scalar* weights, ColumnSlice columns, double* sums);

/// maxima[j - begin] = max(maxima[j - begin], max_i s_ij) of some columns, v = 0.
template <class Scalar>
void raise_column_maxima(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
                         ColumnSlice columns, double* maxima);

/// products[(j - begin) width + w] += sum_i 2^s_ij V_iw of some columns.
/// @param values  V of the tile's rows, row-major  @param rows  how many of them there are
template <class Scalar>
void add_column_products(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts,
                         const double* values, std::int64_t rows, std::int64_t width, ColumnSlice columns,
                         double* products);

/// P_ij = 2^(kappa score_ij + u_i + v_j) of one tile of rows.
template <class Scalar>
struct CouplingTile {
  const CostTiles<Scalar>& costs;
  std::int64_t tile;
  double kappa;
  const double* u;  // tile_rows
  const double* v;  // of all columns
};

/// P of some columns, in double arithmetic. @param coupling  P_ij at (j - begin) stride + i
template <class Scalar>
void coupling_of_tile(const CouplingTile<Scalar>& of, ColumnSlice columns, std::int64_t stride, Scalar* coupling);

}  // namespace thalweg::host
