// Products of the library of the default execution space against loops in double.
#include "kernels/gemm.hpp"

#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kernels/device_pool.hpp"
#include "kernels/random.hpp"

namespace thalweg {
namespace {

using Space = Kokkos::DefaultExecutionSpace;  // the device of a device build

struct Batch {
  std::int64_t count = 1;
  BatchSteps steps;
};

template <class Scalar>
struct Gemm : testing::Test {
  Space exec;
  DevicePool<Space> pool;

  static std::vector<Scalar> draws(std::int64_t size, std::uint32_t stream) {
    const RandomStream random{5, stream};
    std::vector<Scalar> values;
    for (std::int64_t i = 0; i < size; ++i)
      values.push_back(static_cast<Scalar>(random.normal(static_cast<std::uint64_t>(i))));
    return values;
  }

  static std::int64_t size_of(std::int64_t rows, std::int64_t stride, const Batch& batch, std::int64_t step) {
    return rows * stride + std::max<std::int64_t>(batch.count - 1, 0) * step;
  }

  /// Entry of op(A).
  static double entry(const std::vector<Scalar>& values, std::int64_t begin, bool is_transposed, std::int64_t stride,
                      std::int64_t i, std::int64_t j) {
    const std::int64_t at = begin + (is_transposed ? j * stride + i : i * stride + j);
    return static_cast<double>(values[static_cast<std::size_t>(at)]);
  }

  std::vector<Scalar> product(const GemmShape& shape, const Batch& batch, const std::vector<Scalar>& a,
                              const std::vector<Scalar>& b, const std::vector<Scalar>& c, Scalar beta) const {
    const auto device_a = pool.copy(exec, std::span<const Scalar>(a)),
               device_b = pool.copy(exec, std::span<const Scalar>(b)),
               device_c = pool.copy(exec, std::span<const Scalar>(c));
    if (batch.count == 1) gemm(exec, shape, device_a.data(), device_b.data(), device_c.data(), beta);
    else gemm_batch(exec, shape, batch.count, batch.steps, device_a.data(), device_b.data(), device_c.data(), beta);
    return values_on_host<Scalar>(exec, device_c.data(), static_cast<std::int64_t>(c.size()));
  }

  /// Every entry of C within the rounding of sums of `depth` + 1 terms, what lies between its rows as it was.
  void expect_product(const GemmShape& shape, const Batch& batch, Scalar beta) const {
    const auto a =
        draws(size_of(shape.a_transposed ? shape.depth : shape.rows, shape.a_row(), batch, batch.steps.a), 1);
    const auto b =
        draws(size_of(shape.b_transposed ? shape.columns : shape.depth, shape.b_row(), batch, batch.steps.b), 2);
    std::vector<Scalar> c = draws(size_of(shape.rows, shape.c_row(), batch, batch.steps.c), 3);
    if (beta == Scalar(0)) std::fill(c.begin(), c.end(), std::numeric_limits<Scalar>::quiet_NaN());
    const std::vector<Scalar> result = product(shape, batch, a, b, c, beta);
    std::vector<bool> is_of_product(c.size(), false);
    for (std::int64_t k = 0; k < batch.count; ++k)
      for (std::int64_t i = 0; i < shape.rows; ++i)
        for (std::int64_t j = 0; j < shape.columns; ++j) {
          const auto at = static_cast<std::size_t>(k * batch.steps.c + i * shape.c_row() + j);
          double sum = beta == Scalar(0) ? 0.0 : static_cast<double>(beta) * static_cast<double>(c[at]);
          double size = std::abs(sum);
          for (std::int64_t l = 0; l < shape.depth; ++l) {
            const double term = entry(a, k * batch.steps.a, shape.a_transposed, shape.a_row(), i, l) *
                                entry(b, k * batch.steps.b, shape.b_transposed, shape.b_row(), l, j);
            sum += term;
            size += std::abs(term);
          }
          const double rounding = static_cast<double>(shape.depth + 2) * std::numeric_limits<Scalar>::epsilon() * size;
          ASSERT_NEAR(static_cast<double>(result[at]), sum, rounding) << k << " " << i << " " << j;
          is_of_product[at] = true;
        }
    for (std::size_t at = 0; at < c.size(); ++at)
      ASSERT_TRUE(is_of_product[at] || result[at] == c[at] || (std::isnan(result[at]) && std::isnan(c[at]))) << at;
  }
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Scalars);

/// Sizes and both ways that A and B are stored.
std::vector<GemmShape> all_shapes() {
  std::vector<GemmShape> shapes;
  for (const auto& [rows, columns, depth] : {std::array<std::int64_t, 3>{1, 1, 1},
                                             {1, 5, 3},
                                             {7, 1, 2},
                                             {37, 41, 29},
                                             {64, 3, 300},
                                             {0, 4, 3},
                                             {4, 0, 3},
                                             {5, 4, 0}})
    for (const bool a_transposed : {false, true})
      for (const bool b_transposed : {false, true}) {
        GemmShape shape{rows, columns, depth, a_transposed, b_transposed};
        shapes.push_back(shape);
        shape.a_stride = shape.a_row() + 3;
        shape.b_stride = shape.b_row() + 1;
        shape.c_stride = shape.c_row() + 2;
        shapes.push_back(shape);
      }
  return shapes;
}

TYPED_TEST(Gemm, IsTheSumOfProductsForAllTranspositionsStridesAndFactors) {
  for (const GemmShape& shape : all_shapes())
    for (const TypeParam beta : {TypeParam(0), TypeParam(1), TypeParam(-0.5)}) this->expect_product(shape, {}, beta);
}

TYPED_TEST(Gemm, OfABatchIsThatOfEachMatrix) {
  for (const GemmShape& shape : all_shapes())
    for (const std::int64_t count : {0, 2, 5}) {
      const std::int64_t c = shape.rows * shape.c_row() + 3;
      for (const BatchSteps& steps : {BatchSteps{11, 7, c}, BatchSteps{0, 7, c}, BatchSteps{11, 0, c}})
        for (const TypeParam beta : {TypeParam(0), TypeParam(2)}) this->expect_product(shape, {count, steps}, beta);
    }
}

TYPED_TEST(Gemm, ReadsWhatWasComputedBeforeAndIsReadByWhatFollowsInOneOrder) {
  const std::int64_t n = 50;
  const auto a = this->draws(n * n, 1);
  const auto device = this->pool.copy(this->exec, std::span<const TypeParam>(a));
  const auto square = this->pool.template values<TypeParam>(this->exec, n * n),
             cube = this->pool.template values<TypeParam>(this->exec, n * n);
  gemm(this->exec, {n, n, n}, device.data(), device.data(), square.data());
  gemm(this->exec, {n, n, n}, device.data(), square.data(), cube.data());
  const auto result = values_on_host<TypeParam>(this->exec, cube.data(), n * n);
  const auto expected_square = this->product({n, n, n}, {}, a, a, std::vector<TypeParam>(a.size()), 0);
  EXPECT_EQ(result, this->product({n, n, n}, {}, a, expected_square, std::vector<TypeParam>(a.size()), 0));
}

}  // namespace
}  // namespace thalweg
