#include "kernels/nearest_neighbours.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "kernels/neighbour_list.hpp"
#include "kernels/random.hpp"
#include "tests/reference/neighbour_reference.hpp"

namespace thalweg {
namespace {

using Space = Kokkos::DefaultExecutionSpace;  // the device of a device build

struct Cloud {
  std::vector<double> points;
  std::int64_t n, d;
};

Cloud normal_cloud(std::int64_t n, std::int64_t d) {
  const RandomStream random{3, 1};
  Cloud cloud{{}, n, d};
  for (std::int64_t i = 0; i < n * d; ++i)
    cloud.points.push_back(0.1 * random.normal(static_cast<std::uint64_t>(i)) + 0.3);
  return cloud;
}

/// Integer coordinates over 64: every squared distance is exact, most are shared by many points, many points coincide.
Cloud lattice(std::int64_t n, std::int64_t d, std::uint64_t side) {
  const RandomStream random{3, 2};
  Cloud cloud{{}, n, d};
  for (std::int64_t i = 0; i < n * d; ++i)
    cloud.points.push_back(static_cast<double>(random.bits(static_cast<std::uint64_t>(i)) % side) / 64.0);
  return cloud;
}

/// Tight clusters far apart: within a cluster all points look alike in float.
Cloud clusters(std::int64_t n, std::int64_t d, double spread) {
  const RandomStream random{3, 4};
  Cloud cloud{{}, n, d};
  for (std::int64_t i = 0; i < n * d; ++i)
    cloud.points.push_back((i / d % 3 == 0   ? 0.9
                            : i / d % 3 == 1 ? -0.8
                                             : 0.1) +
                           spread * random.normal(static_cast<std::uint64_t>(i)));
  return cloud;
}

template <class Scalar>
struct Search : testing::Test {
  static void check(const Cloud& cloud, std::int64_t count, bool is_plain, std::span<const std::int32_t> groups = {}) {
    SCOPED_TRACE(testing::Message() << "n " << cloud.n << " d " << cloud.d << " count " << count << " plain "
                                    << is_plain);
    const Space exec;
    const auto packed = pack_search_points<Scalar>(exec, cloud.points, cloud.d);
    std::vector<std::int32_t> queries(static_cast<std::size_t>(cloud.n));
    std::iota(queries.rbegin(), queries.rend(), 0);
    const NeighbourLists lists = is_plain ? nearest_neighbours_plain(exec, packed, queries, count, groups)
                                          : nearest_neighbours(exec, packed, queries, count, groups);
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const auto expected = reference::nearest(cloud.points, cloud.d, queries[q], count, groups);
      for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
        const std::size_t at = q * static_cast<std::size_t>(count) + k;
        ASSERT_EQ(lists.indices[at], k < expected.size() ? expected[k].second : no_neighbour) << queries[q] << ' ' << k;
        if (k < expected.size()) ASSERT_NEAR(lists.squared_distances[at], expected[k].first, 1e-14 * expected[k].first);
        else ASSERT_EQ(lists.squared_distances[at], std::numeric_limits<double>::infinity());
      }
    }
  }
};

using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Search, Scalars);

TYPED_TEST(Search, MatchesPlainLoopsOnRaggedSizes) {
  for (const bool is_plain : {false, true})
    for (const std::int64_t n : {2, 3, 63, 64, 65, 131, 260})
      for (const std::int64_t d : {1, 2, 3, 7, 30, 65})
        for (const std::int64_t count : {std::int64_t{1}, std::min<std::int64_t>(14, n - 1), n - 1})
          this->check(normal_cloud(n, d), count, is_plain);
}

TYPED_TEST(Search, BreaksTiesBySmallerIndexAndKeepsDuplicates) {
  for (const bool is_plain : {false, true})
    for (const std::int64_t d : {1, 2, 3, 6})
      for (const std::uint64_t side : {1, 2, 5}) this->check(lattice(400, d, side), 20, is_plain);
}

TYPED_TEST(Search, TellsApartWhatFloatCannot) {
  for (const bool is_plain : {false, true})
    for (const double spread : {1e-4, 1e-7, 1e-12, 1e-30}) this->check(clusters(301, 5, spread), 9, is_plain);
}

TYPED_TEST(Search, ToleratesUnderflowOfSquares) {
  Cloud cloud = normal_cloud(200, 4);
  for (double& value : cloud.points) value *= 1e-30;
  cloud.points[0] = 1.0;
  this->check(cloud, 6, false);
  this->check(cloud, 6, true);
}

TYPED_TEST(Search, PassesOverTheGroupOfTheQuery) {
  const Cloud cloud = clusters(250, 3, 0.05);
  std::vector<std::int32_t> groups;
  for (std::int32_t i = 0; i < 250; ++i) groups.push_back(i < 249 ? i % 3 : 7);
  for (const bool is_plain : {false, true}) this->check(cloud, 2, is_plain, groups);
  const std::vector<std::int32_t> one_group(250, 0);
  this->check(cloud, 1, false, one_group);
}

TYPED_TEST(Search, NoQueriesGiveEmptyLists) {
  const auto packed = pack_search_points<TypeParam>(Space{}, normal_cloud(10, 2).points, 2);
  EXPECT_TRUE(nearest_neighbours(Space{}, packed, {}, 3).indices.empty());
  EXPECT_TRUE(nearest_neighbours_plain(Space{}, packed, {}, 3).indices.empty());
}

}  // namespace
}  // namespace thalweg
