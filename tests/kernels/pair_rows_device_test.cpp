// Passes of the device against those of the host and against sums in double; on the host in a CPU build.
#include "kernels/pair_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/pair_logs.hpp"
#include "pair_operands_case.hpp"

namespace thalweg {
namespace {

using Host = Kokkos::DefaultHostExecutionSpace;
using Space = Kokkos::DefaultExecutionSpace;

/// The same operands where the device reads them.
template <class Scalar>
struct DeviceOperands {
  Space exec;
  DevicePool<Space> pool;
  std::vector<PooledValues<Scalar, Space>> copies;
  PairOperands<Scalar> operands;

  explicit DeviceOperands(const Operands<Scalar>& c) : operands(c.operands) {
    const auto rows = static_cast<std::size_t>(c.padded(c.n)), columns = static_cast<std::size_t>(c.padded(c.m));
    const auto d = static_cast<std::size_t>(c.d);
    for (const auto& [values, size] :
         {std::pair{&operands.rows, rows * d}, {&operands.columns, columns * d}, {&operands.row_norms, rows},
          {&operands.column_norms, columns}, {&operands.column_bias, columns}, {&operands.column_weights, columns},
          {&operands.dense, operands.score == PairScore::dense ? rows * columns : 0}}) {
      if (!*values || size == 0) continue;
      copies.push_back(pool.copy(exec, std::span<const Scalar>(*values, size)));
      *values = copies.back().data();
    }
  }

  std::vector<double> sums(std::span<const std::int64_t> tiles, std::span<const Scalar> shifts) const {
    return pair_row_sums(exec, operands, tiles, shifts, pool);
  }
  std::vector<double> plain_sums(std::span<const std::int64_t> tiles, std::span<const Scalar> shifts) const {
    return pair_row_sums_plain(exec, operands, tiles, shifts, pool);
  }
};

template <class Scalar>
struct DevicePasses : testing::Test {
  static constexpr double tolerance = std::is_same_v<Scalar, float> ? 3e-6 : 1e-13;

  static void expect_near(const std::vector<double>& values, const std::vector<double>& expected, double scale = 1.0) {
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_NEAR(values[i], expected[i], scale * tolerance * std::max(std::abs(expected[i]), 1e-3)) << i;
  }
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(DevicePasses, Scalars);

TYPED_TEST(DevicePasses, AgreeWithThoseOfTheHost) {
  for_each_operands<TypeParam>([&](const Operands<TypeParam>& c) {
    const DeviceOperands<TypeParam> device(c);
    const auto tiles = c.tiles();
    const std::span<const std::int64_t> list(tiles);
    const auto sums = pair_row_sums_plain(Host{}, c.operands, list, c.shift());
    this->expect_near(device.plain_sums(list, c.shift()), sums);
    this->expect_near(device.sums(list, c.shift()), sums);
    const auto maxima = pair_row_maxima(device.exec, device.operands, list),
               maxima_host = pair_row_maxima(Host{}, c.operands, list);
    for (std::size_t i = 0; i < static_cast<std::size_t>(c.n); ++i)
      ASSERT_NEAR(maxima[i], maxima_host[i], 10 * this->tolerance);
    const std::span<const TypeParam> logs(c.logs);
    this->expect_near(pair_row_moments(device.exec, device.operands, c.range(), c.shift(), logs),
                      plain::row_moments(Host{}, c.operands, c.plain_range(), c.shift(), logs), 100);
    const auto costs = pair_row_costs(device.exec, device.operands, c.range(), c.shift()),
               costs_host = plain::row_costs(Host{}, c.operands, c.plain_range(), c.shift());
    this->expect_near({costs.begin(), costs.begin() + 2 * c.n}, {costs_host.begin(), costs_host.begin() + 2 * c.n}, 100);
    const std::vector<double> values(static_cast<std::size_t>(c.m * 9), 0.7);
    this->expect_near(pair_apply(device.exec, device.operands, c.range(), c.shift(), std::span<const double>(values), 9),
                      plain::apply(Host{}, c.operands, c.plain_range(), c.shift(), std::span<const double>(values), 9), 4);
    this->expect_near(pair_scores(device.exec, device.operands, 0, c.n), pair_scores(Host{}, c.operands, 0, c.n), 100);
    const RadixDigit digit{8 * sizeof(TypeParam) - 11, 11, 0};
    const auto counts = pair_cost_counts(device.exec, device.operands, c.range(), c.shift(), digit),
               counts_host = plain::cost_counts(Host{}, c.operands, c.plain_range(), c.shift(), digit);
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}),
              std::accumulate(counts_host.begin(), counts_host.end(), std::int64_t{0}));
  });
}

TYPED_TEST(DevicePasses, GiveARowTheSameBitsWhereverItIsFormed) {
  const Operands<TypeParam> c(PairScore::dot, 500, 5000, 30, true);
  const DeviceOperands<TypeParam> device(c);
  const auto tiles = c.tiles();
  const std::vector<std::int64_t> some = {6, 1, 3};
  std::vector<TypeParam> shifts;
  for (const std::int64_t tile : some)
    shifts.insert(shifts.end(), c.shifts.begin() + tile * tile_rows, c.shifts.begin() + (tile + 1) * tile_rows);
  const auto check = [&](const std::vector<double>& all, const std::vector<double>& part) {
    for (std::size_t p = 0; p < some.size(); ++p)
      for (std::int64_t i = 0; i < tile_rows; ++i)
        ASSERT_EQ(part[p * tile_rows + static_cast<std::size_t>(i)], all[static_cast<std::size_t>(some[p] * tile_rows + i)]);
  };
  check(device.sums(tiles, c.shift()), device.sums(some, shifts));
  check(device.plain_sums(tiles, c.shift()), device.plain_sums(some, shifts));
}

/// Exponents -factor |x - y|^2 / 2 of points of mean squared distance d / 2, shifts that bring the largest to 0; the
/// expected sums in double. With 30 features a factor of 4 is epsilon 0.05 in units of the mean cost, 12 is 0.016.
struct SharpSums {
  Operands<float> c;
  std::vector<double> expected;

  SharpSums(std::int64_t n, std::int64_t m, std::int64_t d, bool is_weighted, float factor)
      : c(PairScore::dot, n, m, d, is_weighted), expected(c.shifts.size(), 0.0) {
    for (std::int64_t i = 0; i < Operands<float>::padded(n) * d; ++i) c.rows.data()[i] *= factor;
    for (std::int64_t j = 0; j < m; ++j) {
      double squares = 0.0;
      for (std::int64_t k = 0; k < d; ++k) squares += c.feature(c.columns, j, k) * c.feature(c.columns, j, k);
      c.bias[static_cast<std::size_t>(j)] = static_cast<float>(-0.5 * static_cast<double>(factor) * squares);
    }
    for (std::int64_t j = 5; j < m; j += 64) {  // absent, and far from the points beside it
      c.bias[static_cast<std::size_t>(j)] = static_cast<float>(no_bias);
      for (std::int64_t k = 0; k < d; ++k) c.columns.data()[(j / tile_rows * d + k) * tile_rows + j % tile_rows] *= 300.0f;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      c.shifts[at] = 0.0f;
      std::vector<double> exponents;
      for (std::int64_t j = 0; j < m; ++j) exponents.push_back(c.exponent(i, j));
      c.shifts[at] = static_cast<float>(-*std::max_element(exponents.begin(), exponents.end()));
      for (std::size_t j = 0; j < exponents.size(); ++j)
        expected[at] += std::exp2(exponents[j] + static_cast<double>(c.shifts[at])) *
                        (is_weighted ? static_cast<double>(c.weights[j]) : 1.0);
    }
  }

  void expect_accurate(const std::vector<double>& sums) const {
    double mean = 0.0, largest = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(c.n); ++i) {
      const double error = std::abs(sums[i] / expected[i] - 1.0);
      mean += error / static_cast<double>(c.n);
      largest = std::max(largest, error);
    }
    EXPECT_LE(mean, 3e-6);
    EXPECT_LE(largest, 2e-5);
  }
};

TEST(DeviceSums, OfFortyThousandColumnsInFloatAreRightToAFewMillionths) {
  for (const float factor : {4.0f, 12.0f})
    for (const bool is_weighted : {false, true}) {
      SCOPED_TRACE(testing::Message() << "factor " << factor << (is_weighted ? " weighted" : ""));
      const SharpSums sharp(200, 40'000, 30, is_weighted, factor);
      const DeviceOperands<float> device(sharp.c);
      const auto tiles = sharp.c.tiles();
      sharp.expect_accurate(device.sums(tiles, sharp.c.shift()));
      sharp.expect_accurate(device.plain_sums(tiles, sharp.c.shift()));
    }
}

TEST(DeviceSums, AreRightForEveryNumberOfFeatures) {
  for (const std::int64_t d : {1, 2, 15, 16, 17, 32, 33, 48, 50, 64, 65, 100, 128, 129, 200}) {
    SCOPED_TRACE(testing::Message() << d << " features");
    const SharpSums sharp(130, 3000, d, d % 2 == 0, 20.0f / static_cast<float>(d));
    const DeviceOperands<float> device(sharp.c);
    const auto tiles = sharp.c.tiles();
    sharp.expect_accurate(device.sums(tiles, sharp.c.shift()));
    sharp.expect_accurate(device.plain_sums(tiles, sharp.c.shift()));
  }
}

TEST(DeviceSums, AndMomentsInDoubleAreThoseOfTheHostForEveryNumberOfFeatures) {
  const auto expect_near = [](const std::vector<double>& values, const std::vector<double>& expected, std::int64_t rows, std::int64_t width) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows * width); ++i)
      ASSERT_NEAR(values[i], expected[i], 1e-11 * std::max(std::abs(expected[i]), 1e-3)) << i;
  };
  for (const std::int64_t d : {1, 7, 8, 9, 30, 50, 64, 100, 128, 129}) {
    SCOPED_TRACE(testing::Message() << d << " features");
    const Operands<double> c(PairScore::dot, 130, 5000, d, d % 2 == 0);  // several slices, the last one ragged
    const DeviceOperands<double> device(c);
    const auto tiles = c.tiles();
    const std::span<const double> logs(c.logs);
    expect_near(device.sums(tiles, c.shift()), pair_row_sums_plain(Host{}, c.operands, std::span<const std::int64_t>(tiles), c.shift()), c.n, 1);
    expect_near(pair_row_moments(device.exec, device.operands, c.range(), c.shift(), logs, device.pool),
                plain::row_moments(Host{}, c.operands, c.plain_range(), c.shift(), logs), c.n, 3);
  }
}

TEST(DeviceSums, OfShiftsThatAreNoGoodAreFoundOut) {
  const Operands<float> c(PairScore::dot, 70, 900, 30, false);
  const DeviceOperands<float> device(c);
  const auto tiles = c.tiles();
  for (const float off : {-300.0f, 300.0f, 4000.0f}) {
    std::vector<float> far(c.shifts);
    for (std::size_t i = 0; i < static_cast<std::size_t>(c.n); ++i) far[i] += off;
    EXPECT_FALSE(sums_are_safe(far.data(), device.sums(tiles, far).data())) << off;
    EXPECT_FALSE(sums_are_safe(far.data(), device.plain_sums(tiles, far).data())) << off;
  }
}

}  // namespace
}  // namespace thalweg
