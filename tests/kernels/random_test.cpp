#include "kernels/random.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace thalweg {
namespace {

// Known answers of Random123's kat_vectors for philox4x32-10.
TEST(Philox, MatchesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomStream, DrawsHaveTheMomentsOfTheirLaw) {
  const RandomStream random{7, 3};
  const int n = 200000;
  double mean = 0, square = 0, normal_mean = 0, normal_square = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(static_cast<std::uint64_t>(i)), z = random.normal(static_cast<std::uint64_t>(i), 1);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    mean += u / n;
    square += u * u / n;
    normal_mean += z / n;
    normal_square += z * z / n;
  }
  EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(square, 1.0 / 3, 0.005);
  EXPECT_NEAR(normal_mean, 0.0, 5 / std::sqrt(double(n)));
  EXPECT_NEAR(normal_square, 1.0, 0.02);
}

TEST(RandomStream, DependsOnSeedStreamIndexAndDraw) {
  const std::uint64_t value = RandomStream{1, 1}.bits(1, 1);
  EXPECT_NE(value, (RandomStream{2, 1}.bits(1, 1)));
  EXPECT_NE(value, (RandomStream{1, 2}.bits(1, 1)));
  EXPECT_NE(value, (RandomStream{1, 1}.bits(2, 1)));
  EXPECT_NE(value, (RandomStream{1, 1}.bits(1, 2)));
  EXPECT_NE((RandomStream{1, 1}.bits(std::uint64_t{1} << 32, 1)), (RandomStream{1, 1}.bits(0, 1)));
}

}  // namespace
}  // namespace thalweg
