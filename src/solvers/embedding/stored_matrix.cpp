#include "solvers/embedding/stored_matrix.hpp"

#include <cblas.h>

#include <algorithm>

#include "geometry/pair_geometry.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t depth = 1024;  // terms added in Scalar

void multiply(CBLAS_TRANSPOSE turn, int rows, int columns, int inner, const float* a, int lda, const float* b,
              float* c) {
  cblas_sgemm(CblasRowMajor, turn, CblasNoTrans, rows, columns, inner, 1.0F, a, lda, b, columns, 0.0F, c, columns);
}
void multiply(CBLAS_TRANSPOSE turn, int rows, int columns, int inner, const double* a, int lda, const double* b,
              double* c) {
  cblas_dgemm(CblasRowMajor, turn, CblasNoTrans, rows, columns, inner, 1.0, a, lda, b, columns, 0.0, c, columns);
}
void multiply(CBLAS_TRANSPOSE turn, int rows, int columns, const float* a, int lda, const float* b, float* c) {
  cblas_sgemv(CblasRowMajor, turn, rows, columns, 1.0F, a, lda, b, 1, 0.0F, c, 1);
}
void multiply(CBLAS_TRANSPOSE turn, int rows, int columns, const double* a, int lda, const double* b, double* c) {
  cblas_dgemv(CblasRowMajor, turn, rows, columns, 1.0, a, lda, b, 1, 0.0, c, 1);
}

/// A part of A: rows and columns of it.
struct Part {
  RowRange rows, columns;
};

/// out += A(part) V or, turned, A(part)^T V. @param out  of the rows (columns) of the part
template <class Scalar>
void add_product(const StoredMatrix<Scalar>& a, const Part& part, bool is_turned, const Scalar* values,
                 std::int64_t width, double* out) {
  const Scalar* from = a.values.data() + part.rows.begin * a.num_columns + part.columns.begin;
  const CBLAS_TRANSPOSE turn = is_turned ? CblasTrans : CblasNoTrans;
  const std::int64_t count = is_turned ? part.columns.size() : part.rows.size();
  const std::int64_t inner = is_turned ? part.rows.size() : part.columns.size();
  std::vector<Scalar> sums(static_cast<std::size_t>(count * width));
  const auto lda = static_cast<int>(a.num_columns);
  if (width == 1)
    multiply(turn, static_cast<int>(part.rows.size()), static_cast<int>(part.columns.size()), from, lda, values,
             sums.data());
  else
    multiply(turn, static_cast<int>(count), static_cast<int>(width), static_cast<int>(inner), from, lda, values,
             sums.data());
  for (std::size_t k = 0; k < sums.size(); ++k) out[k] += static_cast<double>(sums[k]);
}

template <class Scalar>
std::vector<double> product(const StoredMatrix<Scalar>& a, bool is_turned, std::span<const double> values,
                            std::int64_t width) {
  const std::int64_t rows = a.own_rows(), count = is_turned ? a.num_columns : rows;
  const std::int64_t inner = is_turned ? rows : a.num_columns;
  const std::vector<Scalar> right(values.begin(), values.end());
  std::vector<double> out(static_cast<std::size_t>(count * width), 0.0);
  for_each_row_on_host((count + block_rows - 1) / block_rows, [&](std::int64_t tile) {
    const RowRange of_tile{tile * block_rows, std::min(count, (tile + 1) * block_rows)};
    for (std::int64_t begin = 0; begin < inner; begin += depth) {
      const RowRange along{begin, std::min(inner, begin + depth)};
      const Part part = is_turned ? Part{along, of_tile} : Part{of_tile, along};
      add_product(a, part, is_turned, right.data() + begin * width, width, out.data() + of_tile.begin * width);
    }
  });
  return out;
}

}  // namespace

template <class Scalar>
std::vector<double> times(const StoredMatrix<Scalar>& a, std::span<const double> values, std::int64_t width) {
  return product(a, false, values, width);
}

template <class Scalar>
std::vector<double> transposed_times(const Communicator& comm, const StoredMatrix<Scalar>& a,
                                     std::span<const double> values, std::int64_t width) {
  std::vector<double> sums = product(a, true, values, width);
  if (comm.size() > 1) comm.all_reduce(std::span<double>(sums), Reduction::sum);
  return sums;
}

template <class Scalar>
StoredMatrix<Scalar> transposed(const Communicator& comm, const StoredMatrix<Scalar>& a) {
  const Partition columns(a.num_columns, comm.size(), block_rows);
  const std::int64_t rows = a.own_rows();
  std::vector<Scalar> send(a.values.size());
  std::vector<std::int64_t> counts, received_counts;
  for (int rank = 0; rank < comm.size(); ++rank) counts.push_back(columns.rows_of(rank).size() * rows);
  const std::int64_t tiles = (a.num_columns + tile_rows - 1) / tile_rows;
  for_each_row_on_host(tiles, [&](std::int64_t tile) {
    const RowRange of_tile{tile * tile_rows, std::min(a.num_columns, (tile + 1) * tile_rows)};
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = of_tile.begin; j < of_tile.end; ++j)
        send[static_cast<std::size_t>(j * rows + i)] = a.values[static_cast<std::size_t>(i * a.num_columns + j)];
  });
  StoredMatrix<Scalar> result{a.num_columns, a.num_rows, {}};
  if (comm.size() == 1) {
    result.values = std::move(send);
    return result;
  }
  const std::vector<Scalar> received = comm.all_to_all<Scalar>(send, counts, received_counts);
  const std::int64_t own = columns.rows_of(comm.rank()).size();
  result.values.resize(static_cast<std::size_t>(own * a.num_rows));
  const Scalar* from = received.data();
  for (int rank = 0; rank < comm.size(); ++rank) {
    const RowRange part = Partition(a.num_rows, comm.size(), block_rows).rows_of(rank);
    for (std::int64_t j = 0; j < own; ++j, from += part.size())
      std::copy_n(from, part.size(), result.values.data() + j * a.num_rows + part.begin);
  }
  return result;
}

#define THALWEG_STORED_MATRIX(Scalar)                                                                     \
  template std::vector<double> times(const StoredMatrix<Scalar>&, std::span<const double>, std::int64_t); \
  template std::vector<double> transposed_times(const Communicator&, const StoredMatrix<Scalar>&,         \
                                                std::span<const double>, std::int64_t);                   \
  template StoredMatrix<Scalar> transposed(const Communicator&, const StoredMatrix<Scalar>&);
THALWEG_STORED_MATRIX(float)
THALWEG_STORED_MATRIX(double)

}  // namespace thalweg
