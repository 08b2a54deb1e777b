// Exact dense assignment of n rows to n columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// A permutation with its proof: row_potential_i + column_potential_j <= cost_ij for all i, j up to rounding, so
/// `cost - gap` is a lower bound of the optimum.
struct AssignmentSolution {
  std::vector<std::int32_t> column;  ///< of every row
  std::vector<double> row_potential, column_potential;
  double cost = 0.0;
  double gap = 0.0;  ///< cost - sum of all potentials
};

/// The permutation s that minimises sum_i cost(i, s_i), as the column of every row.
///
/// Row reductions, then one shortest augmenting path a row that is still free; O(n^3) at worst. Ties go to free
/// columns, then to the lowest index, so the answer is a function of the input alone. Whole costs below 2^53 / n are
/// summed without rounding.
/// @param n     number of rows and columns
/// @param cost  n x n, row-major, finite; differences are formed in double
/// Throws NumericalError on a non-finite cost, DataError if the size is not n x n.
/// Source: Jonker & Volgenant (1987), Computing 38, 325-340.
template <class Scalar>
std::vector<std::int32_t> solve_assignment(std::int64_t n, std::span<const Scalar> cost);

/// The same permutation with its potentials; O(n^2) more.
template <class Scalar>
AssignmentSolution solve_certified_assignment(std::int64_t n, std::span<const Scalar> cost);

extern template std::vector<std::int32_t> solve_assignment<float>(std::int64_t, std::span<const float>);
extern template std::vector<std::int32_t> solve_assignment<double>(std::int64_t, std::span<const double>);
extern template AssignmentSolution solve_certified_assignment<float>(std::int64_t, std::span<const float>);
extern template AssignmentSolution solve_certified_assignment<double>(std::int64_t, std::span<const double>);

}  // namespace thalweg
