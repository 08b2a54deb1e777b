// Sums over the rows of all ranks that do not depend on how rows lie on ranks or threads. No Kokkos.
#pragma once

#include <cstdint>
#include <span>

#include "distributed/communicator.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Some columns of this rank's rows of a tall matrix, `stride` values apart.
struct TallRows {
  std::span<const double> values;
  std::int64_t rows = 0, columns = 0, stride = 0, first_column = 0;

  const double* row(std::int64_t i) const { return values.data() + i * stride + first_column; }
};

/// A^T B over the rows of all ranks; each rank holds whole blocks of block_rows global rows, the same of both. Collective.
Matrix products_of_rows(const Communicator& comm, const TallRows& a, const TallRows& b, std::int64_t num_rows);

/// A^T A over the rows of all ranks; each rank holds whole blocks of block_rows global rows. Collective.
Matrix gram_of_rows(const Communicator& comm, const Matrix& rows, std::int64_t num_rows);

/// A B, each entry summed in order.
Matrix product(const Matrix& a, const Matrix& b);
Matrix transpose(const Matrix& a);

/// Eigenvalues, ascending, and eigenvectors, in columns, of a symmetric matrix, by LAPACK on this rank.
/// @throws NumericalError
struct Eigensystem {
  std::vector<double> values;
  Matrix vectors;
};
Eigensystem eigensystem_of(const Matrix& symmetric);

/// An orthonormal basis of the columns of A: rows x q, q at most A.columns. Directions below 1e-6 of the largest are
/// dropped. Two rounds of A <- A V Lambda^(-1/2) with A^T A = V Lambda V^T; the second takes off what the squared
/// condition cost the first. Collective.
Matrix orthonormal_basis(const Communicator& comm, const Matrix& rows, std::int64_t num_rows);

/// A = left diag(values) right, values descending, by LAPACK on this rank. @throws NumericalError
struct SingularSystem {
  Matrix left;  // rows x min(rows, columns)
  std::vector<double> values;
  Matrix right;  // min(rows, columns) x columns
};
SingularSystem singular_system_of(const Matrix& a);

/// Moore-Penrose inverse without the singular values below `cut` times the largest, by LAPACK on this rank.
/// @throws NumericalError
Matrix pseudo_inverse(const Matrix& a, double cut);

/// A matrix of rank 0 on all ranks. Collective.
void broadcast(const Communicator& comm, Matrix& matrix);

}  // namespace thalweg
