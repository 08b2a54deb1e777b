#include "solvers/embedding/soft_rank.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/random.hpp"

namespace thalweg {
namespace {

const std::vector<double> z = {.3, .1, .9, .4, .4}, cotangent = {1, 2, 3, 4, 5};

void expect_near(const std::vector<double>& values, const std::vector<double>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-7) << "entry " << i;
}

/// Golden values: worked out by hand, ranks over c.
TEST(SoftRank, MatchesGoldenValues) {
  const auto expect = [](double delta, const std::vector<double>& values, const std::vector<double>& vjp) {
    const SoftRanks ranks = soft_ranks(z, delta);
    expect_near(ranks.values, values);
    expect_near(soft_ranks_vjp(ranks, delta, cotangent), vjp);
  };
  expect(.1, {.4, .2, 1, .7, .7}, {0, 0, 0, -5, 5});
  expect(.5, {.46666667, .2, 1, .66666667, .66666667}, {-4.66666667, 0, 0, 1.33333333, 3.33333333});
  expect(20, {.594, .584, .624, .599, .599}, {-.1, -.05, 0, .05, .1});
}

std::vector<double> draws(std::size_t count, std::uint32_t stream) {
  const RandomStream stream_of{7, stream};
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = stream_of.uniform(i);
  return values;
}

/// Mean of the positions among the sorted entries, from 1, over c: scipy.stats.rankdata(z) / c.
std::vector<double> mean_ranks(const std::vector<double>& values) {
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    double below = 0.0, equal = 0.0;
    for (const double other : values) {
      below += other < values[i] ? 1.0 : 0.0;
      equal += other == values[i] ? 1.0 : 0.0;
    }
    ranks[i] = (below + 0.5 * (equal + 1.0)) / static_cast<double>(values.size());
  }
  return ranks;
}

TEST(SoftRank, IsTheMeanRankForSmallDelta) {
  std::vector<double> values = draws(173, 1);
  for (double& value : values) value = std::floor(value * 40.0) / 40.0;  // ties, gaps of 0.025
  const std::vector<double> ranks = soft_ranks(values, 1e-3).values, expected = mean_ranks(values);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(ranks[i], expected[i], 1e-10) << "entry " << i;
}

TEST(SoftRank, VjpIsTheDerivative) {
  const std::vector<double> values = draws(61, 2), direction = draws(61, 3), weights = draws(61, 4);
  const double delta = 0.3, h = 1e-7;
  const auto value_at = [&](double t) {
    std::vector<double> moved = values;
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += t * direction[i];
    const std::vector<double> ranks = soft_ranks(moved, delta).values;
    double sum = 0.0;
    for (std::size_t i = 0; i < ranks.size(); ++i) sum += weights[i] * ranks[i];
    return sum;
  };
  const SoftRanks ranks = soft_ranks(values, delta);
  EXPECT_GT(ranks.num_blocks(), 1);
  EXPECT_LT(ranks.num_blocks(), 61);
  const std::vector<double> vjp = soft_ranks_vjp(ranks, delta, weights);
  double product = 0.0;
  for (std::size_t i = 0; i < vjp.size(); ++i) product += vjp[i] * direction[i];
  EXPECT_NEAR(product, (value_at(h) - value_at(-h)) / (2.0 * h), 1e-7);
}

TEST(SoftRank, SumsToThatOfTheRanks) {
  for (const double delta : {1e-3, 0.3, 50.0}) {
    double sum = 0.0;
    for (const double rank : soft_ranks(draws(97, 5), delta).values) sum += rank;
    EXPECT_NEAR(sum, 0.5 * 98.0, 1e-9);
  }
}

TEST(SoftRank, HasOneBlockForOneEntry) {
  const SoftRanks ranks = soft_ranks(std::vector<double>{0.4}, 0.3);
  EXPECT_NEAR(ranks.values[0], 1.0, 1e-15);
  EXPECT_EQ(soft_ranks_vjp(ranks, 0.3, std::vector<double>{2.0})[0], 0.0);
}

}  // namespace
}  // namespace thalweg
