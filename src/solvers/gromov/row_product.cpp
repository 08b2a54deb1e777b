#include "solvers/gromov/row_product.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <functional>

#include "kernels/block_rows.hpp"
#include "kernels/gemm.hpp"
#include "kernels/host_rows.hpp"
#include "solvers/gromov/device_panels.hpp"

namespace thalweg {

namespace {

/// values / divisor in Scalar.
template <class Scalar, class Value>
void convert(const Value* from, std::int64_t count, double divisor, Scalar* to) {
  const double factor = 1.0 / divisor;
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<Scalar>(static_cast<double>(from[i]) * factor);
}

/// A(rows, depth), row-major.
template <class Scalar, class Value>
void convert_rows(const OwnedRows<Value>& a, RowRange rows, RowRange depth, Scalar* to) {
  for (std::int64_t i = rows.begin; i < rows.end; ++i, to += depth.size())
    convert(a.values.data() + i * a.num_columns + depth.begin, depth.size(), a.divisor, to);
}

/// Adds A(rows of one tile, depth) B to the result.
template <class Scalar, class Left>
void add_tile(const OwnedRows<Left>& a, RowRange rows, RowRange depth, const std::vector<Scalar>& b,
              std::int64_t columns, std::vector<double>& result) {
  std::vector<Scalar> left(static_cast<std::size_t>(rows.size() * depth.size()));
  std::vector<Scalar> sums(static_cast<std::size_t>(rows.size() * columns));
  convert_rows(a, rows, depth, left.data());
  gemm(Kokkos::DefaultHostExecutionSpace(), {rows.size(), columns, depth.size()}, left.data(), b.data(), sums.data());
  double* to = result.data() + rows.begin * columns;
  for (std::size_t i = 0; i < sums.size(); ++i) to[i] += static_cast<double>(sums[i]);
}

/// Calls body(rows) for tiles of some rows, by all threads.
void for_each_tile(std::int64_t rows, const std::function<void(RowRange rows)>& body) {
  for_each_row_on_host((rows + block_rows - 1) / block_rows, [&](std::int64_t tile) {
    body({tile * block_rows, std::min<std::int64_t>(rows, (tile + 1) * block_rows)});
  });
}

/// Calls add(depth, B(depth, :) in Scalar, row-major) for blocks of rows of B, in ascending order. Collective.
template <class Scalar, class Right>
void for_each_depth(const Communicator& comm, const OwnedRows<Right>& b,
                    const std::function<void(RowRange depth, const std::vector<Scalar>& right)>& add) {
  for (std::int64_t begin = 0; begin < b.num_rows; begin += depth_columns) {
    const RowRange depth{begin, std::min(b.num_rows, begin + depth_columns)};
    const std::vector<Right> stored = rows_from_owners(comm, b, depth);
    std::vector<Scalar> right(stored.size());
    for_each_tile(depth.size(), [&](RowRange rows) {
      convert(stored.data() + rows.begin * b.num_columns, rows.size() * b.num_columns, b.divisor,
              right.data() + rows.begin * b.num_columns);
    });
    add(depth, right);
  }
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
std::vector<double> product_of_rows(const Communicator& comm, const OwnedRows<Left>& a, const OwnedRows<Right>& b,
                                    Device device) {
  const std::int64_t rows = Partition(a.num_rows, comm.size(), block_rows).rows_of(comm.rank()).size();
  const std::int64_t columns = b.num_columns;
  if (device == Device::cuda) {
    using Space = Kokkos::DefaultExecutionSpace;
    DeviceSums<Scalar, Space> sums(Space(), rows, columns);
    for_each_depth<Scalar>(comm, b, [&](RowRange depth, const std::vector<Scalar>& right) {
      std::vector<Scalar> left(static_cast<std::size_t>(rows * depth.size()));
      for_each_tile(rows,
                    [&](RowRange tile) { convert_rows(a, tile, depth, left.data() + tile.begin * depth.size()); });
      sums.add(left, right);
    });
    return sums.values();
  }
  std::vector<double> result(static_cast<std::size_t>(rows * columns), 0.0);
  for_each_depth<Scalar>(comm, b, [&](RowRange depth, const std::vector<Scalar>& right) {
    for_each_tile(rows, [&](RowRange tile) { add_tile(a, tile, depth, right, columns, result); });
  });
  return result;
}

#define THALWEG_ROW_PRODUCT(Scalar, Left, Right)                                                                 \
  template std::vector<double> product_of_rows<Scalar, Left, Right>(const Communicator&, const OwnedRows<Left>&, \
                                                                    const OwnedRows<Right>&, Device);
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
