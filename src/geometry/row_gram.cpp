#include "geometry/row_gram.hpp"

#include <lapacke.h>
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>

#include "distributed/partition.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/fixed_point.hpp"

namespace thalweg {

namespace {

/// Sum of a_i b_i^T over some rows, in the order of the rows; of a with itself the upper triangle.
void add_products(const TallRows& a, const TallRows& b, RowRange range, bool is_gram, std::vector<double>& sums) {
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const double *row = a.row(i), *other = b.row(i);
    for (std::int64_t j = 0; j < a.columns; ++j)
      for (std::int64_t k = is_gram ? j : 0; k < b.columns; ++k)
        sums[static_cast<std::size_t>(j * b.columns + k)] += row[j] * other[k];
  }
}

std::vector<std::int64_t> fixed_sums(const TallRows& a, const TallRows& b, bool is_gram, const FixedPoint& form) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const Host exec;
  const auto size = static_cast<std::size_t>(a.columns * b.columns);
  const std::int64_t blocks = (a.rows + block_rows - 1) / block_rows;
  const std::int64_t shares = std::max<std::int64_t>(1, std::min<std::int64_t>(exec.concurrency(), blocks));
  std::vector<std::vector<std::int64_t>> fixed(static_cast<std::size_t>(shares), std::vector<std::int64_t>(size, 0));
  Kokkos::parallel_for("thalweg::row_gram::fixed_sums", Kokkos::RangePolicy<Host>(exec, 0, shares),
                       [&](const std::int64_t share) {
                         std::vector<double> sums(size);
                         std::vector<std::int64_t>& own = fixed[static_cast<std::size_t>(share)];
                         for (std::int64_t block = blocks * share / shares; block < blocks * (share + 1) / shares; ++block) {
                           std::fill(sums.begin(), sums.end(), 0.0);
                           const RowRange range{block * block_rows, std::min(a.rows, (block + 1) * block_rows)};
                           add_products(a, b, range, is_gram, sums);
                           for (std::size_t i = 0; i < size; ++i) own[i] += std::llrint(sums[i] * form.to_fixed);
                         }
                       });
  exec.fence("thalweg::row_gram::fixed_sums");
  for (std::size_t share = 1; share < fixed.size(); ++share)
    for (std::size_t i = 0; i < size; ++i) fixed[0][i] += fixed[share][i];
  return fixed[0];
}

double largest_of(const TallRows& a) {
  double largest = 0.0;
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) largest = std::max(largest, std::abs(a.row(i)[j]));
  return largest;
}

Matrix products(const Communicator& comm, const TallRows& a, const TallRows& b, bool is_gram, std::int64_t num_rows) {
  double largest[] = {largest_of(a), is_gram ? 0.0 : largest_of(b)};
  comm.all_reduce(std::span<double>(largest), Reduction::max);
  const FixedPoint form = FixedPoint::for_bound(1.01 * static_cast<double>(num_rows) * largest[0] * largest[is_gram ? 0 : 1]);
  std::vector<std::int64_t> fixed = fixed_sums(a, b, is_gram, form);
  comm.all_reduce(std::span<std::int64_t>(fixed), Reduction::sum);
  Matrix sums(a.columns, b.columns);
  for (std::size_t k = 0; k < fixed.size(); ++k) sums.values[k] = static_cast<double>(fixed[k]) * form.to_value;
  return sums;
}

/// A V Lambda^(-1/2) over the eigenvalues of A^T A above `cut` times the largest.
Matrix whitened(const Communicator& comm, const Matrix& rows, std::int64_t num_rows, double cut) {
  const Matrix gram = gram_of_rows(comm, rows, num_rows);
  Matrix map;
  comm.on_root([&] {
    const Eigensystem system = eigensystem_of(gram);
    if (!(system.values.back() > 0.0))
      throw DataError("only distances of 0 in a geodesic factor; distances must differ; check the features");
    const double least = cut * system.values.back();
    const std::int64_t dropped =
        std::upper_bound(system.values.begin(), system.values.end(), least) - system.values.begin();
    map = Matrix(gram.rows, gram.rows - dropped);
    for (std::int64_t i = 0; i < map.rows; ++i)
      for (std::int64_t k = 0; k < map.columns; ++k)
        map(i, k) = system.vectors(i, dropped + k) / std::sqrt(system.values[static_cast<std::size_t>(dropped + k)]);
  });
  broadcast(comm, map);
  return product(rows, map);
}

}  // namespace

Matrix products_of_rows(const Communicator& comm, const TallRows& a, const TallRows& b, std::int64_t num_rows) {
  return products(comm, a, b, /*is_gram=*/false, num_rows);
}

Matrix gram_of_rows(const Communicator& comm, const Matrix& rows, std::int64_t num_rows) {
  const TallRows a{rows.values, rows.rows, rows.columns, rows.columns};
  Matrix gram = products(comm, a, a, /*is_gram=*/true, num_rows);
  for (std::int64_t j = 0; j < gram.rows; ++j)
    for (std::int64_t k = 0; k < j; ++k) gram(j, k) = gram(k, j);
  return gram;
}

Matrix product(const Matrix& a, const Matrix& b) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const Host exec;
  Matrix result(a.rows, b.columns);
  Kokkos::parallel_for("thalweg::row_gram::product", Kokkos::RangePolicy<Host>(exec, 0, a.rows),
                       [&](const std::int64_t i) {
                         double* row = result.values.data() + i * b.columns;
                         for (std::int64_t j = 0; j < a.columns; ++j)
                           for (std::int64_t k = 0; k < b.columns; ++k) row[k] += a(i, j) * b(j, k);
                       });
  exec.fence("thalweg::row_gram::product");
  return result;
}

Matrix transpose(const Matrix& a) {
  Matrix result(a.columns, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) result(j, i) = a(i, j);
  return result;
}

Eigensystem eigensystem_of(const Matrix& symmetric) {
  Eigensystem system{std::vector<double>(static_cast<std::size_t>(symmetric.rows)), symmetric};
  const auto n = static_cast<lapack_int>(symmetric.rows);
  if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', n, system.vectors.values.data(), n, system.values.data()) != 0)
    throw NumericalError("no eigenvalues of a " + std::to_string(n) + " x " + std::to_string(n) +
                         " matrix in a geodesic factor; its distances must be finite; check the graph");
  return system;
}

Matrix orthonormal_basis(const Communicator& comm, const Matrix& rows, std::int64_t num_rows) {
  constexpr double least_direction = 1e-6;
  const Matrix once = whitened(comm, rows, num_rows, least_direction * least_direction);
  return whitened(comm, once, num_rows, 0.0);
}

SingularSystem singular_system_of(const Matrix& a) {
  const auto m = static_cast<lapack_int>(a.rows), n = static_cast<lapack_int>(a.columns), size = std::min(m, n);
  Matrix copy = a;
  SingularSystem system{Matrix(m, size), std::vector<double>(static_cast<std::size_t>(size)), Matrix(size, n)};
  if (LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', m, n, copy.values.data(), n, system.values.data(),
                     system.left.values.data(), size, system.right.values.data(), n) != 0)
    throw NumericalError("no singular values of a " + std::to_string(m) + " x " + std::to_string(n) +
                         " matrix; distances and coordinates must be finite; check the input");
  return system;
}

Matrix pseudo_inverse(const Matrix& a, double cut) {
  SingularSystem system = singular_system_of(a);
  for (std::size_t k = 0; k < system.values.size(); ++k) {
    const double value = system.values[k];
    for (std::int64_t i = 0; i < a.rows; ++i) {
      double& entry = system.left(i, static_cast<std::int64_t>(k));
      entry = value > cut * system.values[0] ? entry / value : 0.0;
    }
  }
  return product(transpose(system.right), transpose(system.left));
}

void broadcast(const Communicator& comm, Matrix& matrix) {
  std::int64_t shape[2] = {matrix.rows, matrix.columns};
  comm.broadcast(std::span<std::int64_t>(shape));
  matrix.rows = shape[0];
  matrix.columns = shape[1];
  comm.broadcast(matrix.values);
}

}  // namespace thalweg
