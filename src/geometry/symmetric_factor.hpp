// Symmetric products U V^T of narrow matrices in one form: an orthonormal basis and a diagonal. No Kokkos.
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// V diag(diagonal) V^T, V owned rows x rank with orthonormal columns; by ascending diagonal.
struct SymmetricFactor {
  Matrix v;
  std::vector<double> diagonal;
};

/// U V^T, which must be symmetric: with Q an orthonormal basis of U, Q^T U V^T Q = Z Lambda Z^T gives V = Q Z.
/// Directions of U below 1e-6 of the largest are dropped, columns of U and V first scaled to equal lengths. The same
/// bits, row for row, on any number of ranks. Collective.
/// @param u, v       owned rows x r: whole blocks of block_rows global rows
/// @param num_rows   of all ranks
/// @throws DataError when U or V is 0
SymmetricFactor symmetric_factor(const Communicator& comm, const Matrix& u, const Matrix& v, std::int64_t num_rows);

/// The first global row in which U V^T and V U^T differ by more than `tolerance` times the longest row (Euclidean);
/// -1: there is none. From moments of the columns, O(rows r^2). Collective.
/// @param first_row   global index of the first owned row
std::int64_t first_asymmetric_row(const Communicator& comm, const Matrix& u, const Matrix& v, std::int64_t first_row,
                                  std::int64_t num_rows, double tolerance);

}  // namespace thalweg
