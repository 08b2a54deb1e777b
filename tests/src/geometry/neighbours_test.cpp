#include "geometry/neighbours.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "golden_arrays.hpp"
#include "kernels/random.hpp"
#include "tests/reference/neighbour_reference.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::SharedCloud;

NeighbourTable all_neighbours(const Communicator& comm, const SharedCloud& cloud, Metric metric, std::int64_t k,
                              Precision precision = Precision::float32) {
  const Context context{comm, precision, test_device(), 0};
  return gather_rows(comm, make_neighbour_search(context, cloud.owned(comm), metric)->nearest(k));
}

void expect_equal(const NeighbourTable& a, const NeighbourTable& b) {
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(a.distances, b.distances);
}

SharedCloud random_cloud(std::int64_t n, std::int64_t d, double scale) {
  const RandomStream random{5, 1};
  SharedCloud cloud{n, d, {}};
  for (std::int64_t i = 0; i < n * d; ++i)
    cloud.values.push_back(static_cast<float>(scale * random.normal(static_cast<std::uint64_t>(i))));
  return cloud;
}

TEST(Neighbours, EqualScikitLearnInEveryMetric) {
  const auto comm = make_world_communicator();
  const auto golden = testing_support::read_golden_arrays("geodesics.txt");
  const std::pair<const char*, Metric> cases[] = {{"roll", Metric::euclidean},
                                                  {"apart", Metric::euclidean},
                                                  {"angles", Metric::cosine},
                                                  {"profiles", Metric::correlation}};
  for (const auto& [name, metric] : cases) {
    SCOPED_TRACE(name);
    const std::string prefix = std::string(name) + "_";
    const auto k = static_cast<std::int64_t>(golden.at(prefix + "k").values[0]);
    const auto table = all_neighbours(*comm, SharedCloud::of(golden.at(prefix + "points")), metric, k);
    ASSERT_EQ(table.num_neighbours, k - 1);
    const auto &indices = golden.at(prefix + "neighbours").values, &distances = golden.at(prefix + "distances").values;
    ASSERT_EQ(table.indices.size(), indices.size());
    for (std::size_t at = 0; at < indices.size(); ++at) {
      ASSERT_EQ(table.indices[at], static_cast<std::int32_t>(indices[at])) << at;
      ASSERT_NEAR(table.distances[at], distances[at], 1e-14 + 1e-12 * distances[at]) << at;
    }
  }
}

TEST(Neighbours, HaveTheSameBitsOnAnyNumberOfRanksAndInBothPrecisions) {
  const auto world = make_world_communicator(), self = make_self_communicator();
  for (const Metric metric : {Metric::euclidean, Metric::cosine, Metric::correlation})
    for (const double scale : {1e-18, 1.0, 1e18}) {
      const SharedCloud cloud = random_cloud(331, 7, scale);
      const NeighbourTable expected = all_neighbours(*self, cloud, metric, 12);
      expect_equal(all_neighbours(*world, cloud, metric, 12), expected);
      expect_equal(all_neighbours(*world, cloud, metric, 12, Precision::float64), expected);
    }
}

TEST(Neighbours, TakeDoublesAsTheyAre) {
  const auto self = make_self_communicator();
  // In float all points but the last coincide.
  const std::vector<double> line = {1.0, 1.0 + 1e-12, 1.0 + 3e-12, 1.0 + 7e-12, 2.0};
  const OwnedPoints points{5, {0, 5}, 1, std::span<const double>(line), "line"};
  const auto table = make_neighbour_search({*self}, points, Metric::euclidean)->nearest(3);
  EXPECT_EQ(table.indices, (std::vector<std::int32_t>{1, 2, 0, 2, 1, 0, 2, 1, 3, 2}));
}

TEST(Neighbours, ListDuplicatesAtDistanceZeroByIndex) {
  const auto world = make_world_communicator();
  SharedCloud cloud{70, 2, {}};
  for (int i = 0; i < 70; ++i) cloud.values.insert(cloud.values.end(), {static_cast<float>(i % 2), 3.0f});
  const auto table = all_neighbours(*world, cloud, Metric::euclidean, 5);
  EXPECT_EQ((std::vector<std::int32_t>(table.indices.begin(), table.indices.begin() + 8)),
            (std::vector<std::int32_t>{2, 4, 6, 8, 3, 5, 7, 9}));
  for (const double distance : table.distances) EXPECT_EQ(distance, 0.0);
}

TEST(Neighbours, OfOneDirectionHaveCosineDistanceZero) {
  const auto self = make_self_communicator();
  const SharedCloud cloud{3, 2, {1, 2, 2, 4, -2, 1}};
  const auto table = all_neighbours(*self, cloud, Metric::cosine, 2);
  EXPECT_EQ(table.indices, (std::vector<std::int32_t>{1, 0, 0}));
  EXPECT_NEAR(table.distances[0], 0.0, 1e-16);
  EXPECT_NEAR(table.distances[2], 1.0, 1e-15);
}

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Neighbours, NameTheFirstRowThatTheMetricRefuses) {
  const auto world = make_world_communicator();
  const auto refusal = [&](std::int64_t row, std::vector<float> values, Metric metric) {
    SharedCloud cloud = random_cloud(40, 3, 1.0);
    for (const std::int64_t at : {row, std::int64_t{35}})
      std::copy(values.begin(), values.end(), cloud.values.begin() + at * 3);
    return message_of([&] { all_neighbours(*world, cloud, metric, 4); });
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal(17, {1, nan, 2}, Metric::euclidean),
              testing::HasSubstr("not finite in row 17 of obsm/X_pca of cloud.h5ad"));
  EXPECT_THAT(refusal(0, {0, 0, 0}, Metric::cosine), testing::HasSubstr("only zeros in row 0 of obsm/X_pca"));
  EXPECT_THAT(refusal(34, {0.1f, 0.1f, 0.1f}, Metric::correlation),
              testing::HasSubstr("equal values only in row 34 of"));
  EXPECT_EQ(refusal(17, {0, 0, 0}, Metric::euclidean), "no error");
  EXPECT_EQ(refusal(17, {5, 5, 5}, Metric::cosine), "no error");
}

TEST(Neighbours, RefuseMoreThanThereAre) {
  const auto world = make_world_communicator();
  const SharedCloud cloud = random_cloud(10, 2, 1.0);
  for (const std::int64_t k : {-1, 0, 1, 10, 11})
    EXPECT_THAT(message_of([&] { all_neighbours(*world, cloud, Metric::euclidean, k); }),
                testing::HasSubstr("from 2 to 9 are possible"))
        << k;
  EXPECT_EQ(all_neighbours(*world, cloud, Metric::euclidean, 9).num_neighbours, 8);
  EXPECT_THAT(message_of([&] { all_neighbours(*world, random_cloud(1, 2, 1.0), Metric::euclidean, 2); }),
              testing::HasSubstr("1 cells x 2 features"));
  EXPECT_THAT(message_of([&] { all_neighbours(*world, random_cloud(0, 2, 1.0), Metric::euclidean, 2); }),
              testing::HasSubstr("0 cells"));
}

TEST(Neighbours, OfOtherGroupsMatchPlainLoops) {
  const auto world = make_world_communicator();
  const SharedCloud cloud = random_cloud(150, 4, 3.0);
  std::vector<std::int32_t> groups, queries;
  for (std::int32_t i = 0; i < 150; ++i) groups.push_back(i * i % 4);
  for (std::int32_t i = 149; i >= 0; i -= 3) queries.push_back(i);
  const auto search = make_neighbour_search({*world}, cloud.owned(*world), Metric::euclidean);
  const auto table = search->nearest_of_other_groups(queries, groups);
  const std::vector<double> points(cloud.values.begin(), cloud.values.end());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto expected = reference::nearest(points, 4, queries[q], 1, groups);
    EXPECT_EQ(table.indices[q], expected[0].second);
    EXPECT_NEAR(table.distances[q], std::sqrt(expected[0].first), 1e-13);
  }
}

}  // namespace
}  // namespace thalweg
