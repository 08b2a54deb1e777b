#include "solvers/gromov/row_product.hpp"

#include <cblas.h>
#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

constexpr std::int64_t depth_rows = 1024;  // of B at a time: errors of float sums stay those of so many terms

void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(rows), static_cast<int>(columns),
              static_cast<int>(depth), 1.0F, a, static_cast<int>(depth), b, static_cast<int>(columns), 0.0F, c,
              static_cast<int>(columns));
}

void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, const double* a, const double* b,
              double* c) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(rows), static_cast<int>(columns),
              static_cast<int>(depth), 1.0, a, static_cast<int>(depth), b, static_cast<int>(columns), 0.0, c,
              static_cast<int>(columns));
}

/// values / divisor in Scalar.
template <class Scalar, class Value>
void convert(const Value* from, std::int64_t count, double divisor, Scalar* to) {
  const double factor = 1.0 / divisor;
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<Scalar>(static_cast<double>(from[i]) * factor);
}

/// Adds A(rows of one tile, depth) B to the result.
template <class Scalar, class Left>
void add_tile(const OwnedRows<Left>& a, RowRange rows, RowRange depth, const std::vector<Scalar>& b,
              std::int64_t columns, std::vector<double>& result) {
  std::vector<Scalar> left(static_cast<std::size_t>(rows.size() * depth.size()));
  std::vector<Scalar> sums(static_cast<std::size_t>(rows.size() * columns));
  for (std::int64_t i = 0; i < rows.size(); ++i)
    convert(a.values.data() + (rows.begin + i) * a.num_columns + depth.begin, depth.size(), a.divisor,
            left.data() + i * depth.size());
  multiply(rows.size(), columns, depth.size(), left.data(), b.data(), sums.data());
  double* to = result.data() + rows.begin * columns;
  for (std::size_t i = 0; i < sums.size(); ++i) to[i] += static_cast<double>(sums[i]);
}

}  // namespace

template <class Value>
std::vector<Value> rows_from_owners(const Communicator& comm, const OwnedRows<Value>& matrix, RowRange wanted) {
  const Partition partition(matrix.num_rows, comm.size(), block_rows);
  std::vector<Value> rows(static_cast<std::size_t>(wanted.size() * matrix.num_columns));
  for (int rank = 0; rank < comm.size(); ++rank) {
    const RowRange owned = partition.rows_of(rank);
    const RowRange part{std::max(owned.begin, wanted.begin), std::min(owned.end, wanted.end)};
    if (part.size() <= 0) continue;
    const std::span<Value> place =
        std::span(rows).subspan(static_cast<std::size_t>((part.begin - wanted.begin) * matrix.num_columns),
                                static_cast<std::size_t>(part.size() * matrix.num_columns));
    if (rank == comm.rank())
      std::copy_n(matrix.values.begin() + (part.begin - owned.begin) * matrix.num_columns, place.size(), place.begin());
    comm.broadcast(place, rank);
  }
  return rows;
}

template <class Scalar, class Left, class Right>
std::vector<double> product_of_rows(const Communicator& comm, const OwnedRows<Left>& a, const OwnedRows<Right>& b) {
  const Host exec;
  const std::int64_t rows = Partition(a.num_rows, comm.size(), block_rows).rows_of(comm.rank()).size();
  const std::int64_t tiles = (rows + block_rows - 1) / block_rows, columns = b.num_columns;
  std::vector<double> result(static_cast<std::size_t>(rows * columns), 0.0);
  for (std::int64_t begin = 0; begin < b.num_rows; begin += depth_rows) {
    const RowRange depth{begin, std::min(b.num_rows, begin + depth_rows)};
    const std::vector<Right> stored = rows_from_owners(comm, b, depth);
    std::vector<Scalar> right(stored.size());
    Kokkos::parallel_for("thalweg::row_product::convert", Kokkos::RangePolicy<Host>(exec, 0, depth.size()),
                         [&](const std::int64_t i) {
                           convert(stored.data() + i * columns, columns, b.divisor, right.data() + i * columns);
                         });
    Kokkos::parallel_for(
        "thalweg::row_product::tiles",
        Kokkos::RangePolicy<Host, Kokkos::Schedule<Kokkos::Dynamic>>(exec, 0, tiles, Kokkos::ChunkSize(1)),
        [&](const std::int64_t tile) {
          const RowRange part{tile * block_rows, std::min(rows, (tile + 1) * block_rows)};
          add_tile(a, part, depth, right, columns, result);
        });
    exec.fence("thalweg::row_product::tiles");
  }
  return result;
}

#define THALWEG_ROW_PRODUCT(Scalar, Left, Right)                                                                 \
  template std::vector<double> product_of_rows<Scalar, Left, Right>(const Communicator&, const OwnedRows<Left>&, \
                                                                    const OwnedRows<Right>&);
#define THALWEG_ROW_PRODUCTS(Scalar)                \
  THALWEG_ROW_PRODUCT(Scalar, Scalar, std::uint8_t) \
  THALWEG_ROW_PRODUCT(Scalar, std::uint8_t, Scalar) \
  THALWEG_ROW_PRODUCT(Scalar, Scalar, Scalar)
THALWEG_ROW_PRODUCTS(float)
THALWEG_ROW_PRODUCTS(double)
THALWEG_ROW_PRODUCT(float, float, double)
THALWEG_ROW_PRODUCT(float, double, float)
THALWEG_ROW_PRODUCT(double, double, float)
THALWEG_ROW_PRODUCT(double, float, double)
template std::vector<std::uint8_t> rows_from_owners(const Communicator&, const OwnedRows<std::uint8_t>&, RowRange);
template std::vector<float> rows_from_owners(const Communicator&, const OwnedRows<float>&, RowRange);
template std::vector<double> rows_from_owners(const Communicator&, const OwnedRows<double>&, RowRange);

}  // namespace thalweg
