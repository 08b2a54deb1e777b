// Weighted exponentials of pairs against plain loops.
#include "kernels/pair_weights_host.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/random.hpp"

namespace thalweg {
namespace {

struct Rows {
  std::int64_t rows, depth;
  std::vector<double> values;

  Rows(std::int64_t rows_, std::int64_t depth_, std::uint32_t stream) : rows(rows_), depth(depth_) {
    const RandomStream noise{5, stream};
    for (std::int64_t k = 0; k < rows * depth; ++k) values.push_back(noise.normal(static_cast<std::uint64_t>(k)));
  }
  NarrowRows narrow() const { return {values, rows, depth}; }
};

double product(const Rows& x, std::int64_t i, const Rows& y, std::int64_t j) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < x.depth; ++k) sum += x.narrow().row(i)[k] * y.narrow().row(j)[k];
  return sum;
}

template <class Scalar>
struct PairWeights : testing::Test {
  static constexpr double tolerance = sizeof(Scalar) == 4 ? 3e-6 : 1e-13;

  static void expect_products(std::int64_t n, std::int64_t m, std::int64_t rank, std::int64_t width) {
    const Rows e(n, 5, 1), e_columns(m, 5, 2), s(n, rank, 3), s_columns(m, rank, 4), z(m, width, 5);
    const std::vector<double> found =
        pair_weighted_products<Scalar>({e.narrow(), e_columns.narrow()}, {s.narrow(), s_columns.narrow()}, z.narrow());
    const std::vector<Scalar> exponentials = pair_exponentials<Scalar>({e.narrow(), e_columns.narrow()});
    ASSERT_EQ(found.size(), static_cast<std::size_t>(n * width));
    ASSERT_EQ(exponentials.size(), static_cast<std::size_t>(n * m));
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t w = 0; w < width; ++w) {
        double sum = 0.0, size = 0.0;
        for (std::int64_t j = 0; j < m; ++j) {
          const double p = std::exp2(product(e, i, e_columns, j)),
                       term = p * product(s, i, s_columns, j) * z.narrow().row(j)[w];
          sum += term;
          size += std::abs(term);
          if (w == 0) {
            EXPECT_NEAR(static_cast<double>(exponentials[static_cast<std::size_t>(i * m + j)]), p, tolerance * p);
          }
        }
        EXPECT_NEAR(found[static_cast<std::size_t>(i * width + w)], sum, tolerance * size) << i << " " << w;
      }
  }
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(PairWeights, Scalars);

TYPED_TEST(PairWeights, EqualPlainLoopsOnRaggedSizes) {
  this->expect_products(1, 1, 1, 1);
  this->expect_products(67, 131, 3, 4);
  this->expect_products(130, 1700, 7, 17);
}

TYPED_TEST(PairWeights, LeavesOutPointsOfVanishingExponents) {
  const std::vector<double> rows{0.5, 1.0, -1e5, 1.0}, columns{1.0, 0.25, 1.0, -1e5}, ones{1.0, 1.0};
  const PairFactors exponents{{rows, 2, 2}, {columns, 2, 2}}, weights{{ones, 2, 1}, {ones, 2, 1}};
  const std::vector<double> found = pair_weighted_products<TypeParam>(exponents, weights, {ones, 2, 1});
  EXPECT_NEAR(found[0], std::exp2(0.75), 1e-6);
  EXPECT_EQ(found[1], 0.0);
}

TYPED_TEST(PairWeights, TakesNoRows) {
  const std::vector<double> none, ones{1.0, 1.0};
  EXPECT_TRUE(
      pair_weighted_products<TypeParam>({{none, 0, 1}, {ones, 2, 1}}, {{none, 0, 1}, {ones, 2, 1}}, {ones, 2, 1})
          .empty());
}

}  // namespace
}  // namespace thalweg
