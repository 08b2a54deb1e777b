#include "solvers/gromov/column_panels.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/gemm.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

template <class Scalar>
void for_each_product(const LeftRows<Scalar>& left, std::span<const Scalar> right, std::int64_t width,
                      const UseProduct& use) {
  for_each_row_on_host((left.num_rows + block_rows - 1) / block_rows, [&](std::int64_t block) {
    const RowRange rows{block * block_rows, std::min<std::int64_t>(left.num_rows, (block + 1) * block_rows)};
    std::vector<Scalar> a(static_cast<std::size_t>(block_rows * std::min(depth_columns, left.num_columns)));
    std::vector<Scalar> part(static_cast<std::size_t>(width * block_rows));
    std::vector<double> product(part.size(), 0.0);
    for (std::int64_t begin = 0; begin < left.num_columns; begin += depth_columns) {
      const RowRange depth{begin, std::min(left.num_columns, begin + depth_columns)};
      left.fill(rows, depth, a.data());
      // C^T = B^T A^T
      GemmShape shape{width, rows.size(), depth.size(), true, !left.by_columns};
      if (left.by_columns) shape.b_stride = block_rows;
      shape.c_stride = block_rows;
      gemm(Kokkos::DefaultHostExecutionSpace(), shape, right.data() + begin * width, a.data(), part.data());
      for (std::size_t k = 0; k < part.size(); ++k) product[k] += static_cast<double>(part[k]);
    }
    use(rows, product.data());
  });
}

template <class Scalar>
std::vector<Scalar> rounded_product(const PanelProducts<Scalar>& left, std::span<const Scalar> right,
                                    std::int64_t width) {
  std::vector<Scalar> result(static_cast<std::size_t>(left.num_rows() * width));
  left.with(right, width, [&](RowRange rows, const double* product) {
    for (std::int64_t i = rows.begin; i < rows.end; ++i)
      for (std::int64_t c = 0; c < width; ++c)
        result[static_cast<std::size_t>(i * width + c)] = static_cast<Scalar>(product[c * block_rows + i - rows.begin]);
  });
  return result;
}

template <class Scalar, class Value>
std::vector<Scalar> columns_from_owners(const Communicator& comm, const OwnedRows<Value>& matrix, RowRange columns) {
  const std::vector<Value> rows = rows_from_owners(comm, matrix, columns);
  const std::int64_t n = matrix.num_columns, width = columns.size();
  const double factor = 1.0 / matrix.divisor;
  std::vector<Scalar> result(rows.size());
  for_each_row_on_host((n + tile_rows - 1) / tile_rows, [&](std::int64_t tile) {
    const std::int64_t begin = tile * tile_rows, end = std::min<std::int64_t>(n, begin + tile_rows);
    for (std::int64_t c = 0; c < width; ++c)
      for (std::int64_t k = begin; k < end; ++k)
        result[static_cast<std::size_t>(k * width + c)] =
            static_cast<Scalar>(static_cast<double>(rows[static_cast<std::size_t>(c * n + k)]) * factor);
  });
  return result;
}

#define THALWEG_COLUMNS_FROM_OWNERS(Scalar, Value)                                                              \
  template std::vector<Scalar> columns_from_owners<Scalar, Value>(const Communicator&, const OwnedRows<Value>&, \
                                                                  RowRange);
#define THALWEG_COLUMN_PANELS(Scalar)                                                                         \
  template void for_each_product<Scalar>(const LeftRows<Scalar>&, std::span<const Scalar>, std::int64_t,      \
                                         const UseProduct&);                                                  \
  template std::vector<Scalar> rounded_product<Scalar>(const PanelProducts<Scalar>&, std::span<const Scalar>, \
                                                       std::int64_t);                                         \
  THALWEG_COLUMNS_FROM_OWNERS(Scalar, std::uint8_t)                                                           \
  THALWEG_COLUMNS_FROM_OWNERS(Scalar, float)                                                                  \
  THALWEG_COLUMNS_FROM_OWNERS(Scalar, double)
THALWEG_COLUMN_PANELS(float)
THALWEG_COLUMN_PANELS(double)

}  // namespace thalweg
