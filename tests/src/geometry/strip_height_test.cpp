#include "geometry/strip_height.hpp"

#include <gtest/gtest.h>

namespace thalweg {
namespace {

constexpr std::int64_t cache = std::int64_t{16} << 20;

TEST(StripHeight, FallsAsColumnsGrow) {
  const std::int64_t whole = cache / (64 * 4 + 8), half = cache / (32 * 4 + 8), quarter = cache / (16 * 4 + 8);
  EXPECT_EQ(strip_height(whole, 4, cache), 64);
  EXPECT_EQ(strip_height(whole + 1, 4, cache), 32);
  EXPECT_EQ(strip_height(half + 1, 4, cache), 16);
  EXPECT_TRUE(strips_fit(quarter, 4, cache));
  EXPECT_FALSE(strips_fit(quarter + 1, 4, cache));
}

TEST(StripHeight, IsATileWhereNoneFits) {
  for (const std::int64_t columns : {std::int64_t{1} << 40, std::int64_t{1} << 62}) {
    EXPECT_EQ(strip_height(columns, 4, cache), 64);
    EXPECT_FALSE(strips_fit(columns, 4, cache));
  }
}

TEST(StripHeight, DoublesTakeTwiceTheRoom) {
  EXPECT_EQ(strip_height(40'000, 4, cache), 64);
  EXPECT_EQ(strip_height(40'000, 8, cache), 32);
}

}  // namespace
}  // namespace thalweg
