#include "solvers/hm_ot/sample.hpp"

#include <gtest/gtest.h>

#include <map>

#include "clouds.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;

/// Rows whose one feature is their own index, which is their label too.
Cloud numbered(std::int64_t n) {
  Cloud cloud{n, 1, {}};
  for (std::int64_t i = 0; i < n; ++i) cloud.features.push_back(static_cast<float>(i));
  return cloud;
}

SampledSlice draw(const Communicator& comm, const Cloud& cloud, std::int64_t size, std::uint64_t seed, std::uint32_t stream = 3) {
  std::vector<std::int32_t> labels(cloud.features.begin(), cloud.features.end());
  return draw_sample(comm, cloud.block(comm), cloud.owned(comm, std::span<const std::int32_t>(labels)), size, {seed, stream});
}

TEST(Sample, IsTheSameOnAnyNumberOfRanks) {
  const auto world = make_world_communicator();
  const auto self = make_self_communicator();
  for (const std::int64_t n : {1, 200, 700, 3000})
    for (const bool is_weighted : {false, true}) {
      Cloud cloud = numbered(n);
      if (is_weighted) cloud.weights = testing_support::uneven_weights(n);
      const SampledSlice sample = draw(*world, cloud, 100, 4), alone = draw(*self, cloud, 100, 4);
      EXPECT_EQ(sample.features, alone.features);
      EXPECT_EQ(sample.labels, alone.labels);
      EXPECT_EQ(sample.num_rows, is_weighted ? 100 : std::min<std::int64_t>(n, 100));
    }
}

TEST(Sample, TakesOneRowOfEveryShareWithItsLabel) {
  const auto world = make_world_communicator();
  const SampledSlice sample = draw(*world, numbered(1000), 100, 4);
  ASSERT_EQ(sample.num_rows, 100);
  for (std::size_t k = 0; k < 100; ++k) {
    EXPECT_EQ(static_cast<std::size_t>(sample.labels[k]) / 10, k);
    EXPECT_EQ(sample.features[k], static_cast<float>(sample.labels[k]));
  }
}

TEST(Sample, OfAllRowsIsEveryRowOnce) {
  const auto world = make_world_communicator();
  for (const std::int64_t size : {700, 701, 100000}) {
    const Cloud cloud = numbered(700);
    EXPECT_EQ(draw(*world, cloud, size, 9).features, cloud.features);
  }
}

TEST(Sample, DependsOnSeedAndStream) {
  const auto world = make_world_communicator();
  const Cloud cloud = numbered(1000);
  const auto sample = draw(*world, cloud, 50, 1).labels;
  EXPECT_EQ(sample, draw(*world, cloud, 50, 1).labels);
  EXPECT_NE(sample, draw(*world, cloud, 50, 2).labels);
  EXPECT_NE(sample, draw(*world, cloud, 50, 1, 4).labels);
}

TEST(Sample, FollowsTheWeights) {
  const auto world = make_world_communicator();
  Cloud cloud = numbered(800);
  cloud.weights.assign(800, 1.0);
  cloud.weights[5] = 0.0;
  cloud.weights[600] = 800.0;
  std::map<std::int32_t, int> counts;
  for (const std::int32_t label : draw(*world, cloud, 1000, 2).labels) ++counts[label];
  EXPECT_EQ(counts[5], 0);
  EXPECT_NEAR(counts[600], 1000.0 * 800.0 / 1598.0, 2.0);
}

TEST(Sample, GivesRowsOfEqualWeightEqualProbability) {
  const auto world = make_world_communicator();
  std::vector<int> counts(3, 0);  // 200 of 300 rows: with shares of whole rows every third would be certain
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    for (const std::int32_t label : draw(*world, numbered(300), 200, seed).labels) ++counts[static_cast<std::size_t>(label % 3)];
  for (const int count : counts) EXPECT_NEAR(count, 10000.0 / 3.0, 200.0);
}

TEST(Sample, WithoutLabelsHasNone) {
  const auto world = make_world_communicator();
  const Cloud cloud = numbered(300);
  const SampledSlice sample = draw_sample(*world, cloud.block(*world), {}, 20, {});
  EXPECT_EQ(sample.num_rows, 20);
  EXPECT_TRUE(sample.labels.empty());
}

}  // namespace
}  // namespace thalweg
