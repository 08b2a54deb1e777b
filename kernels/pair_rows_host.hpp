// The tuned passes of the host over one tile of rows and all columns. No Kokkos: plain vectors.
#pragma once

#include <cstdint>

#include "kernels/pair_operands.hpp"

namespace thalweg::host {

/// rho_i = sum_j omega_j 2^s_ij of the rows of one tile. @param shifts u, tile_rows @param sums tile_rows
template <class Scalar>
void row_sums(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, double* sums);

/// max_j s_ij of the rows of one tile, u = 0; near no_bias where no column takes part.
template <class Scalar>
void row_maxima(const PairOperands<Scalar>& operands, std::int64_t tile, Scalar* maxima);

/// Sums over j of e, e s and e weight_j, e = 2^s_ij, one after another. @param moments 3 x tile_rows
template <class Scalar>
void row_moments(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, const Scalar* weights,
                 double* moments);

/// sum_j and max_j of -s_ij over the columns that take part, one after another. @param sums 2 x tile_rows
template <class Scalar>
void row_costs(const PairOperands<Scalar>& operands, std::int64_t tile, const Scalar* shifts, double* sums);

}  // namespace thalweg::host
