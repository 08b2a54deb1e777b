#include "solvers/row_pass.hpp"

#include <gtest/gtest.h>

#include "clouds.hpp"
#include "tests/reference/lowrank_reference.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;

// One row leaves ranks 1.. empty, 700 rows are three blocks on four ranks, 1500 rows end in a ragged block.
const std::int64_t row_counts[] = {1, 255, 256, 257, 700, 1500};

struct Case {
  Cloud cloud;
  std::vector<double> center, duals;
  Matrix logits;

  explicit Case(std::int64_t n, bool is_weighted) : cloud(testing_support::gaussian_cloud(n, 3, 4, 2.0, 1.0, 5)), center{0.5, -0.25, 0.125}, logits(3, 4) {
    if (is_weighted) cloud.weights = testing_support::uneven_weights(n);
    const RandomStream random{80, 0};
    for (std::size_t i = 0; i < logits.values.size(); ++i) logits.values[i] = 2.0 * random.normal(i);
    for (std::uint64_t k = 0; k < 4; ++k) duals.push_back(random.normal(k, 1));
  }
  std::vector<std::int32_t> labels() const {
    std::vector<std::int32_t> result;
    for (std::int64_t i = 0; i < cloud.num_rows; ++i) result.push_back(static_cast<std::int32_t>(i % 4) - 1);
    return result;
  }
};

PassSums sums_on(const Communicator& comm, const Case& c, Precision precision, Device device = test_device()) {
  const RowBlock block = c.cloud.block(comm);
  const RowMoments moments = row_moments(comm, block, c.center);
  const auto rows = make_row_pass({comm, precision, device, 0}, block, c.center, moments);
  PassSums sums = rows->sums(c.logits, c.duals, {true, true});
  EXPECT_EQ(rows->num_passes(), 1);
  return sums;
}

void expect_equal_bits(const PassSums& a, const PassSums& b) {
  EXPECT_EQ(a.masses, b.masses);
  EXPECT_EQ(a.normalizer, b.normalizer);
  EXPECT_EQ(a.entropy, b.entropy);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.hessian, b.hessian);
}

template <class Check>
void for_each_case(Check check) {
  const auto world = make_world_communicator();
  const auto self = make_self_communicator();
  for (const std::int64_t n : row_counts)
    for (const bool is_weighted : {false, true}) {
      SCOPED_TRACE(std::to_string(n) + (is_weighted ? " weighted rows" : " rows"));
      check(*world, *self, Case(n, is_weighted));
    }
}

TEST(RowPass, SumsHaveTheSameBitsOnAnyNumberOfRanks) {
  for_each_case([](const Communicator& world, const Communicator& self, const Case& c) {
    for (const Precision precision : {Precision::float32, Precision::float64})
      expect_equal_bits(sums_on(world, c, precision), sums_on(self, c, precision));
  });
}

TEST(RowPass, SumsMatchPlainLoops) {
  for_each_case([](const Communicator& world, const Communicator&, const Case& c) {
    const auto expected = reference::lowrank_pass(c.cloud.centred(c.center), 3, c.cloud.normalised_weights(), c.logits, c.duals);
    const PassSums sums = sums_on(world, c, Precision::float64);
    EXPECT_LE(testing_support::largest_difference(sums.masses, expected.masses), 1e-14);
    EXPECT_LE(testing_support::largest_difference(sums.features.values, expected.features.values), 1e-13);
    EXPECT_LE(testing_support::largest_difference(sums.hessian.values, expected.hessian.values), 1e-14);
    EXPECT_NEAR(sums.normalizer, expected.normalizer, 1e-13);
    EXPECT_NEAR(sums.entropy, expected.entropy, 1e-13);
  });
}

TEST(RowPass, SumsLeftOutAreEmpty) {
  const auto world = make_world_communicator();
  const Case c(300, false);
  const RowBlock block = c.cloud.block(*world);
  const auto rows = make_row_pass({*world, Precision::float32, test_device(), 0}, block, c.center, row_moments(*world, block, c.center));
  const PassSums sums = rows->sums(c.logits, c.duals, {});
  EXPECT_TRUE(sums.features.values.empty());
  EXPECT_TRUE(sums.hessian.values.empty());
  EXPECT_EQ(sums.masses.size(), 4u);
}

TEST(RowPass, MembershipsOfAllRanksAreThoseOfOne) {
  for_each_case([](const Communicator& world, const Communicator&, const Case& c) {
    const RowBlock block = c.cloud.block(world);
    const auto rows = make_row_pass({world, Precision::float64, test_device(), 0}, block, c.center, row_moments(world, block, c.center));
    const std::vector<double> own = rows->memberships(c.logits, c.duals, 0, (block.rows.size() + block_rows - 1) / block_rows);
    const std::vector<double> all = world.all_gather(std::span<const double>(own));
    const auto expected = reference::lowrank_pass(c.cloud.centred(c.center), 3, c.cloud.normalised_weights(), c.logits, c.duals);
    EXPECT_LE(testing_support::largest_difference(all, expected.memberships.values), 1e-13);
  });
}

TEST(RowMoments, MatchPlainLoopsAndHaveTheSameBitsOnAnyNumberOfRanks) {
  for_each_case([](const Communicator& world, const Communicator& self, const Case& c) {
    const RowMoments moments = row_moments(world, c.cloud.block(world), c.center);
    const RowMoments alone = row_moments(self, c.cloud.block(self), c.center);
    EXPECT_EQ(moments.mean, alone.mean);
    EXPECT_EQ(moments.second_moment, alone.second_moment);
    EXPECT_EQ(moments.max_feature, alone.max_feature);
    EXPECT_EQ(moments.total_weight, alone.total_weight);

    const std::vector<double> a = c.cloud.normalised_weights();
    std::vector<double> mean(3, 0.0), largest(3, 0.0);
    double square = 0.0;
    for (std::int64_t i = 0; i < c.cloud.num_rows; ++i)
      for (std::int64_t j = 0; j < 3; ++j) {
        const double value = c.cloud(i, j) - c.center[static_cast<std::size_t>(j)];
        mean[static_cast<std::size_t>(j)] += a[static_cast<std::size_t>(i)] * c.cloud(i, j);
        largest[static_cast<std::size_t>(j)] = std::max(largest[static_cast<std::size_t>(j)], std::abs(value));
        square += a[static_cast<std::size_t>(i)] * value * value;
      }
    EXPECT_LE(testing_support::largest_difference(moments.mean, mean), 1e-13);
    EXPECT_EQ(moments.max_feature, largest);
    EXPECT_NEAR(moments.second_moment, square, 1e-13 * std::max(1.0, square));
    const double total = c.cloud.weights.empty() ? static_cast<double>(c.cloud.num_rows) : testing_support::sum_of(c.cloud.weights);
    EXPECT_NEAR(moments.total_weight, total, 1e-13 * total);
  });
}

TEST(LabelSums, MatchPlainLoopsAndHaveTheSameBitsOnAnyNumberOfRanks) {
  for_each_case([](const Communicator& world, const Communicator& self, const Case& c) {
    const std::vector<std::int32_t> labels = c.labels();
    const auto sums_of = [&](const Communicator& comm) {
      const RowBlock block = c.cloud.block(comm);
      const RowMoments moments = row_moments(comm, block, c.center);
      return label_sums(comm, block, c.center, moments, c.cloud.owned(comm, std::span(labels)), 4);
    };
    const PassSums sums = sums_of(world);
    expect_equal_bits(sums, sums_of(self));
    const std::vector<double> a = c.cloud.normalised_weights();
    std::vector<double> masses(4, 0.0);
    Matrix features(3, 4);
    for (std::int64_t i = 0; i < c.cloud.num_rows; ++i) {
      const std::int32_t k = labels[static_cast<std::size_t>(i)];
      if (k < 0) continue;
      masses[static_cast<std::size_t>(k)] += a[static_cast<std::size_t>(i)];
      for (std::int64_t j = 0; j < 3; ++j) features(j, k) += a[static_cast<std::size_t>(i)] * (c.cloud(i, j) - c.center[static_cast<std::size_t>(j)]);
    }
    EXPECT_LE(testing_support::largest_difference(sums.masses, masses), 1e-14);
    EXPECT_LE(testing_support::largest_difference(sums.features.values, features.values), 1e-13);
    EXPECT_EQ(sums.masses[3], 0.0);  // labels end at 2
  });
}

TEST(RowPass, OfManyRowsOnADeviceIsThatOfTheHost) {
  const auto world = make_world_communicator();
  const Case c(20000, true);
  for (const auto& [precision, tolerance] : {std::pair{Precision::float32, 1e-5}, {Precision::float64, 1e-12}}) {
    const PassSums sums = sums_on(*world, c, precision), expected = sums_on(*world, c, precision, Device::cpu);
    EXPECT_NEAR(sums.normalizer, expected.normalizer, tolerance);
    EXPECT_NEAR(sums.entropy, expected.entropy, tolerance);
    for (std::size_t k = 0; k < expected.masses.size(); ++k) EXPECT_NEAR(sums.masses[k], expected.masses[k], tolerance);
    for (std::size_t i = 0; i < expected.features.values.size(); ++i)
      EXPECT_NEAR(sums.features.values[i], expected.features.values[i], tolerance);
    for (std::size_t i = 0; i < expected.hessian.values.size(); ++i)
      EXPECT_NEAR(sums.hessian.values[i], expected.hessian.values[i], tolerance);
  }
}

}  // namespace
}  // namespace thalweg
