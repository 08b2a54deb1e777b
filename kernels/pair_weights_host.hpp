// Products with weighted exponentials of pairs on the host, for gradients of couplings. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// A narrow matrix, rows x depth, row-major.
struct NarrowRows {
  std::span<const double> values;
  std::int64_t rows = 0, depth = 0;

  const double* row(std::int64_t i) const { return values.data() + i * depth; }
};

/// One of each pair (i, j), for the rows i and the columns j of a pass.
struct PairFactors {
  NarrowRows rows, columns;  // of equal depth
};

/// out_iw = sum_j 2^(e_i . e'_j) (s_i . s'_j) z_jw, rows x width in float64.
///
/// Exponents and weights of 64 rows and 64 columns at a time are formed in Scalar and forgotten; products are summed in
/// Scalar over 1536 columns, then in float64. Memory is O((rows + columns) depth). Rows go to the threads of this rank;
/// the same bits for any number of them.
/// @param exponents  e and e'; a point of exponents below -1000 takes no part
/// @param weights    s and s'
/// @param values     z, columns x width
template <class Scalar>
std::vector<double> pair_weighted_products(const PairFactors& exponents, const PairFactors& weights,
                                           const NarrowRows& values);

/// 2^(e_i . e'_j), rows x columns, row-major.
template <class Scalar>
std::vector<Scalar> pair_exponentials(const PairFactors& exponents);

}  // namespace thalweg
