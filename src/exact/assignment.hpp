// Exact dense assignment of n rows to n columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// The permutation s that minimises sum_i cost(i, s_i).
///
/// Row reductions, then one shortest augmenting path a row that is still free; O(n^3) at worst, ties go to the lowest
/// index, so the answer is a function of the input alone.
/// @param n     number of rows and columns
/// @param cost  n x n, row-major, finite; differences are formed in double
/// @return      column of every row
/// Throws NumericalError on a non-finite cost, DataError if the size is not n x n.
/// Source: Jonker & Volgenant (1987), Computing 38, 325-340.
template <class Scalar>
std::vector<std::int32_t> solve_assignment(std::int64_t n, std::span<const Scalar> cost);

extern template std::vector<std::int32_t> solve_assignment<float>(std::int64_t, std::span<const float>);
extern template std::vector<std::int32_t> solve_assignment<double>(std::int64_t, std::span<const double>);

}  // namespace thalweg
