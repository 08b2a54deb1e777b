#include "kernels/simd.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/simd_exp2.hpp"

namespace thalweg::simd {
namespace {

template <class Scalar>
struct Simd : testing::Test {
  static constexpr double epsilon = std::numeric_limits<Scalar>::epsilon();

  static Scalar exp2_of(double x) { return exp2_small<Scalar>(broadcast(static_cast<Scalar>(x)))[0]; }
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Simd, Scalars);

TYPED_TEST(Simd, ExponentialsAreRightToAFewUnitsInTheLastPlace) {
  for (double x = -120.0; x <= 1.0; x += 0.00917) {
    const double exact = std::exp2(static_cast<double>(static_cast<TypeParam>(x)));
    ASSERT_NEAR(static_cast<double>(this->exp2_of(x)), exact, 2.0 * this->epsilon * exact) << x;
  }
  EXPECT_EQ(this->exp2_of(0.0), TypeParam(1));
}

TYPED_TEST(Simd, ExponentialsOfVeryNegativeNumbersAreZero) {
  for (const double x : {-1100.0, -1e6, -1e30, -std::numeric_limits<double>::infinity()})
    EXPECT_EQ(this->exp2_of(x), TypeParam(0)) << x;
}

TYPED_TEST(Simd, Exp2IsRightWithinItsRangeZeroBelowAndInfiniteAbove) {
  const double highest = sizeof(TypeParam) == 4 ? 125.0 : 1020.0;
  const auto exp2_at = [](double x) { return exp2<TypeParam>(broadcast(static_cast<TypeParam>(x)))[0]; };
  for (double x = 5.0 - highest; x <= highest; x += 0.0917) {
    const double exact = std::exp2(static_cast<double>(static_cast<TypeParam>(x)));
    ASSERT_NEAR(static_cast<double>(exp2_at(x)), exact, 2.5 * this->epsilon * exact) << x;
  }
  EXPECT_EQ(exp2_at(0.0), TypeParam(1));
  for (const double x : {-2000.0, -1e6, -1e30, -std::numeric_limits<double>::infinity()}) EXPECT_EQ(exp2_at(x), TypeParam(0)) << x;
  for (const double x : {1025.0, 3000.0, 1e30}) EXPECT_EQ(exp2_at(x), std::numeric_limits<TypeParam>::infinity()) << x;
  EXPECT_TRUE(std::isnan(exp2_at(std::numeric_limits<double>::quiet_NaN())));
}

TYPED_TEST(Simd, RoundGivesTheNearestIntegerOrANumberWithinRounding) {
  for (const double x : {-1000.6, -0.4, 0.0, 0.6, 3.4, 20000.7})
    EXPECT_EQ(round<TypeParam>(broadcast(static_cast<TypeParam>(x)))[0], static_cast<TypeParam>(std::nearbyint(x)));
  EXPECT_EQ(round<TypeParam>(broadcast(TypeParam(1e30)))[0], TypeParam(1e30));
}

template <class Scalar, int count>
void expect_lane_sums() {
  Vector<Scalar> values[count];
  for (int i = 0; i < count; ++i)
    for (int lane = 0; lane < lanes<Scalar>; ++lane) values[i][lane] = static_cast<Scalar>(100 * i + lane);
  alignas(64) Scalar sums[(count + lanes<Scalar> - 1) / lanes<Scalar> * lanes<Scalar>];
  lane_sums<Scalar>(values, sums);
  for (int i = 0; i < count; ++i)
    EXPECT_EQ(sums[lane_of_sum<Scalar>(i)],
              static_cast<Scalar>((100 * i) * lanes<Scalar> + lanes<Scalar> * (lanes<Scalar> - 1) / 2))
        << i << " of " << count;
}
TYPED_TEST(Simd, LaneSumsOfAnyNumberOfVectors) {
  expect_lane_sums<TypeParam, 1>();
  expect_lane_sums<TypeParam, 3>();
  expect_lane_sums<TypeParam, lanes<TypeParam>>();
  expect_lane_sums<TypeParam, 25>();
}

TYPED_TEST(Simd, FixedPointSumsAccumulate) {
  alignas(64) TypeParam values[16];
  std::int64_t sums[16];
  for (int i = 0; i < 16; ++i) values[i] = static_cast<TypeParam>(i - 8), sums[i] = i;
  add_fixed(values, 16, 0x1.0p40, sums);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(sums[i], (std::int64_t{i} - 8) * (std::int64_t{1} << 40) + i);
}

TEST(Logarithm, IsRightToAFewUnitsInTheLastPlaceFromTheSmallestToTheLargestProduct) {
  for (double x = 1e-300; x < 1e300; x *= 1.37) {
    const double exact = std::log(x);
    ASSERT_NEAR(log_positive(broadcast(x))[0], exact, 4e-16 * std::max(1.0, std::abs(exact))) << x;
  }
  EXPECT_EQ(log_positive(broadcast(1.0))[0], 0.0);
}

TEST(Denormals, AreZeroOnlyWithinTheScope) {
  volatile float smallest = std::numeric_limits<float>::min();
  {
    const FlushDenormals flush;
#ifdef __SSE2__
    EXPECT_EQ(smallest * 0.5f, 0.0f);
#endif
  }
  EXPECT_GT(smallest * 0.5f, 0.0f);
}

}  // namespace
}  // namespace thalweg::simd
