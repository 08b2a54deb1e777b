// Geodesic distances as a product of two narrow matrices, from searches at some landmarks. No Kokkos.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/geodesics.hpp"

namespace thalweg {

struct LandmarkFactorOptions {
  std::int64_t landmarks = 200;  // L
  std::int64_t factor_rank = 64;
  LandmarkChoice choice = LandmarkChoice::uniform;
  Disconnected disconnected = Disconnected::bridge;
};

/// D ~ U V^T for the distances D between all cells, symmetric: U = V diag(eigenvalues).
struct LandmarkFactor {
  RowRange rows;                    // owned: whole blocks of block_rows global rows
  Matrix u, v;                      // owned rows x rank, the rank at most `factor_rank`
  std::vector<double> eigenvalues;  // by falling absolute value
  std::vector<std::int32_t> landmarks;
  std::int64_t num_fitted = 0;   // cells whose distances to each other gave the core
  std::int64_t num_checked = 0;  // others, on whose rows the error was measured
  double error = 0.0;            // |D - U V^T| / |D| (Frobenius) on those rows; NaN if there are none
  double error_deviation = 0.0;  // its standard error, the cells being a sample; NaN for fewer than 2
  double largest = 0.0;          // distance that any of the searches found
};

/// With C = D(:, landmarks), Q an orthonormal basis of its columns and R = the landmarks and 4 L further random cells
/// (at most all but a twentieth of the rest, which is kept for checking):
///
///   W = pinv(Q_R) D_RR pinv(Q_R)^T (singular values below 1e-3 of the largest dropped), symmetrised;
///   W = Z Lambda Z^T, the `factor_rank` largest |eigenvalues| kept: U = Q Z Lambda, V = Q Z
///
/// Least squares over R; pinv(D_LL) instead of W would fit the landmarks alone, R without the landmarks leaves
/// directions of Q undetermined where these are far from all others. The error is measured on up to 256 cells
/// not used before. Q comes from C^T C, twice, in sums that have the same bits for any number of ranks; directions of
/// C below 1e-6 of the largest are dropped. The same bits, row for row, on any number of ranks. Collective.
/// @param graph   connected, or a mode of `disconnected` that says what unreached cells are
/// Source: docs/math.md; Nystroem methods: Drineas & Mahoney (2005), JMLR 6, 2153-2175.
LandmarkFactor landmark_factor(const Context& context, const Graph& graph, const LandmarkFactorOptions& options);

}  // namespace thalweg
