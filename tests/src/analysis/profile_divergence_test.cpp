#include "analysis/profile_divergence.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

const std::vector<float> x = {3, 0, 1, 2, 2, 2}, y = {1, 1, 1, 0, 5, 0, 3, 0, 1};

TEST(ProfileDivergence, IsThatOfTheSharesWithPseudocounts) {
  const auto found = profile_divergences({x, 3, "1.0"}, {y, 3, "2.0"}, {0, 2}, 0.01);
  ASSERT_EQ(found.size(), 6u);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      double expected = 0.0, p_sum = 0.03, q_sum = 0.03;
      for (std::size_t g = 0; g < 3; ++g) {
        p_sum += x[3 * i + g];
        q_sum += y[3 * j + g];
      }
      for (std::size_t g = 0; g < 3; ++g) {
        const double p = (x[3 * i + g] + 0.01) / p_sum, q = (y[3 * j + g] + 0.01) / q_sum;
        expected += p * std::log(p / q);
      }
      EXPECT_NEAR(found[3 * i + j], expected, 1e-14);
    }
  EXPECT_NEAR(found[2], 0.0, 1e-15);  // the same shares
}

TEST(ProfileDivergence, FormsTheRowsAskedFor) {
  const auto all = profile_divergences({x, 3, "1.0"}, {y, 3, "2.0"}, {0, 2}, 0.01);
  EXPECT_EQ(profile_divergences({x, 3, "1.0"}, {y, 3, "2.0"}, {1, 2}, 0.01),
            std::vector<double>(all.begin() + 3, all.end()));
}

TEST(ProfileDivergence, RefusesWhatIsNoCount) {
  std::vector<float> bad = y;
  bad[5] = -1;
  EXPECT_THROW(profile_divergences({x, 3, "1.0"}, {bad, 3, "2.0"}, {0, 2}, 0.01), DataError);
  bad[5] = NAN;
  EXPECT_THROW(profile_divergences({x, 3, "1.0"}, {bad, 3, "2.0"}, {0, 2}, 0.01), DataError);
}

}  // namespace
}  // namespace thalweg
