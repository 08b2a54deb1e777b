#include "kernels/pair_row_logs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/fixed_point.hpp"
#include "kernels/pair_logs.hpp"
#include "pair_operands_case.hpp"

namespace thalweg {
namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

template <class Scalar>
struct PairRows : testing::Test {
  static constexpr double tolerance = std::is_same_v<Scalar, float> ? 3e-6 : 1e-13;

  template <class Check>
  static void for_each_case(Check check) {
    for_each_operands<Scalar>(check);
  }
  static void expect_near(const std::vector<double>& values, const std::vector<double>& expected, double scale = 1.0) {
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_NEAR(values[i], expected[i], scale * tolerance * std::max(std::abs(expected[i]), 1e-3)) << i;
  }
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(PairRows, Scalars);

/// Logs from the sums and maxima of whole passes.
template <class Scalar>
RowLogs row_logs(const Host& exec, const PairOperands<Scalar>& operands, TileRange range,
                 std::type_identity_t<std::span<const Scalar>> shifts) {
  struct Sums {
    const Host& exec;
    const PairOperands<Scalar>& operands;
    auto sums(std::span<const std::int64_t> tiles, std::span<const Scalar> of_tiles) const {
      return pair_row_sums(exec, operands, tiles, of_tiles);
    }
    auto maxima(std::span<const std::int64_t> tiles) const { return pair_row_maxima(exec, operands, tiles); }
    bool is_called_for(bool here) const { return here; }
  };
  return row_logs_of(range, shifts, Sums{exec, operands});
}

TYPED_TEST(PairRows, TunedAndPlainSumsMatchPlainLoops) {
  this->for_each_case([&](const Operands<TypeParam>& c) {
    const auto tiles = c.tiles();
    const auto tuned = pair_row_sums(Host{}, c.operands, std::span<const std::int64_t>(tiles), c.shift());
    const auto plain = pair_row_sums_plain(Host{}, c.operands, std::span<const std::int64_t>(tiles), c.shift());
    std::vector<double> expected(tuned.size(), 0.0);
    for (std::int64_t i = 0; i < c.n; ++i)
      for (std::int64_t j = 0; j < c.m; ++j)
        expected[static_cast<std::size_t>(i)] +=
            std::exp2(c.exponent(i, j)) *
            (c.operands.column_weights ? static_cast<double>(c.weights[static_cast<std::size_t>(j)]) : 1.0);
    this->expect_near(tuned, expected);
    this->expect_near(plain, expected);
  });
}

TYPED_TEST(PairRows, LogsDoNotDependOnTheShift) {
  this->for_each_case([&](const Operands<TypeParam>& c) {
    const RowLogs known = row_logs(Host{}, c.operands, c.range(), c.shift());
    const RowLogs unknown = row_logs(Host{}, c.operands, c.range(), std::span<const TypeParam>{});
    EXPECT_EQ(known.fallback_tiles, 0);
    EXPECT_EQ(unknown.fallback_tiles, c.range().count);
    for (const double off : {-300.0, 300.0, 4000.0}) {
      std::vector<TypeParam> far(c.shifts);
      for (std::size_t i = 0; i < static_cast<std::size_t>(c.n); ++i) far[i] += static_cast<TypeParam>(off);
      const RowLogs saved = row_logs(Host{}, c.operands, c.range(), std::span<const TypeParam>(far));
      EXPECT_EQ(saved.fallback_tiles, c.range().count);
      EXPECT_EQ(saved.logs, unknown.logs);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(c.n); ++i)
      ASSERT_NEAR(known.logs[i], unknown.logs[i], 10 * this->tolerance);
  });
}

TYPED_TEST(PairRows, OtherPassesAgreeWithThePlainOnes) {
  this->for_each_case([&](const Operands<TypeParam>& c) {
    const std::span<const TypeParam> logs(c.logs);
    this->expect_near(pair_row_moments(Host{}, c.operands, c.range(), c.shift(), logs),
                      plain::row_moments(Host{}, c.operands, c.plain_range(), c.shift(), logs), 10);
    const auto costs = pair_row_costs(Host{}, c.operands, c.range(), c.shift()),
               plain_costs = plain::row_costs(Host{}, c.operands, c.plain_range(), c.shift());
    this->expect_near({costs.begin(), costs.begin() + 2 * c.n}, {plain_costs.begin(), plain_costs.begin() + 2 * c.n},
                      100);
    const RandomStream random{4, 4};
    std::vector<double> values;
    for (std::int64_t i = 0; i < c.m * 9; ++i) values.push_back(random.uniform(static_cast<std::uint64_t>(i)));
    this->expect_near(pair_apply(Host{}, c.operands, c.range(), c.shift(), std::span<const double>(values), 9),
                      plain::apply(Host{}, c.operands, c.plain_range(), c.shift(), std::span<const double>(values), 9),
                      4);
    for (const RadixDigit digit :
         {RadixDigit{8 * sizeof(TypeParam) - 11, 11, 0}, RadixDigit{8 * sizeof(TypeParam) - 22, 11, 0x602}}) {
      const auto counts = pair_cost_counts(Host{}, c.operands, c.range(), c.shift(), digit),
                 plain_counts = plain::cost_counts(Host{}, c.operands, c.plain_range(), c.shift(), digit);
      std::int64_t moved = 0;  // where rounding differs, a value may fall into the next digit
      for (std::size_t i = 0; i < counts.size(); ++i) moved += std::abs(counts[i] - plain_counts[i]);
      EXPECT_LE(moved, 2 + c.n * c.m / 100);
      if (digit.prefix != 0) continue;
      const auto present =
          std::count_if(c.bias.begin(), c.bias.end(), [](TypeParam bias) { return bias > TypeParam(-1e29); });
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), c.n * present);
    }
  });
}

TYPED_TEST(PairRows, StripGivesTheLogsAndTheColumnSumsOfTheNewBiases) {
  this->for_each_case([&](const Operands<TypeParam>& c) {
    if (c.operands.column_weights) return;
    std::vector<double> offsets(c.shifts.size(), 0.3), alpha(c.shifts.size(), 0.0);
    std::fill_n(alpha.begin(), c.n, 1.0 / static_cast<double>(c.n));
    for (const auto& [is_known, height] : {std::pair(true, 64), {true, 32}, {true, 16}, {false, 64}, {false, 16}}) {
      const auto shifts = is_known ? c.shift() : std::span<const TypeParam>{};
      const auto strip = pair_strip(Host{}, c.operands, {c.range(), 0.8, offsets, alpha, 64.0, height}, shifts);
      const RowLogs logs = row_logs(Host{}, c.operands, c.range(), shifts);
      EXPECT_EQ(strip.fallback_tiles, logs.fallback_tiles);
      std::vector<double> expected(static_cast<std::size_t>(c.m), 0.0), sums;
      for (std::size_t i = 0; i < static_cast<std::size_t>(c.n); ++i) {
        ASSERT_NEAR(strip.logs[i], logs.logs[i], 4 * this->tolerance);
        ASSERT_EQ(strip.biases[i], static_cast<TypeParam>(0.3 - 0.8 * strip.logs[i]));
        for (std::int64_t j = 0; j < c.m; ++j)
          expected[static_cast<std::size_t>(j)] +=
              alpha[i] * std::exp2(c.score(static_cast<std::int64_t>(i), j) +
                                   static_cast<double>(c.bias[static_cast<std::size_t>(j)]) +
                                   static_cast<double>(strip.biases[i]));
      }
      for (const std::int64_t sum : strip.column_sums)
        sums.push_back(static_cast<double>(sum) * FixedPoint::for_bound(64.0).to_value);
      this->expect_near(sums, expected, 4);
      EXPECT_NEAR(std::accumulate(strip.tile_masses.begin(), strip.tile_masses.end(), 0.0),
                  std::accumulate(expected.begin(), expected.end(), 0.0), 64 * this->tolerance);
    }
  });
}

TYPED_TEST(PairRows, StripHasTheSameBitsHoweverTheTilesAreSplit) {
  const Operands<TypeParam> c(PairScore::dot, 500, 700, 6, false);
  std::vector<double> offsets(c.shifts.size(), 0.0), alpha(c.shifts.size(), 1.0 / 500.0);
  std::fill(alpha.begin() + 500, alpha.end(), 0.0);
  const auto strip = [&](std::int64_t first, std::int64_t count) {
    const auto at = static_cast<std::size_t>(first * tile_rows), size = static_cast<std::size_t>(count * tile_rows);
    return pair_strip(
        Host{}, c.operands,
        {{first, count}, 1.0, std::span(offsets).subspan(at, size), std::span(alpha).subspan(at, size), 2.0},
        c.shift().subspan(at, size));
  };
  const auto whole = strip(0, 8), front = strip(0, 3), back = strip(3, 5);
  for (std::size_t j = 0; j < 700; ++j)
    ASSERT_EQ(whole.column_sums[j], front.column_sums[j] + back.column_sums[j]) << j;
  EXPECT_EQ(std::vector(whole.biases.begin() + 192, whole.biases.end()), back.biases);
}

template <class Space>
Space one_thread() {
  if constexpr (std::is_constructible_v<Space, int>) return Space(1);
  else return Space();
}

TYPED_TEST(PairRows, PassesHaveTheSameBitsOnOneThreadAndOnAll) {
  const Operands<TypeParam> c(PairScore::dot, 700, 900, 6, false);
  const std::vector<double> offsets(c.shifts.size(), 0.0), alpha(c.shifts.size(), 1.0 / 704.0), values(900 * 5, 0.7);
  const auto results = [&](const Host& exec) {
    const auto strip = pair_strip(exec, c.operands, {c.range(), 1.0, offsets, alpha, 2.0}, c.shift());
    return std::tuple(strip.column_sums, strip.biases, strip.tile_masses,
                      row_logs(exec, c.operands, c.range(), c.shift()).logs,
                      pair_apply(exec, c.operands, c.range(), c.shift(), std::span<const double>(values), 5),
                      pair_cost_counts(exec, c.operands, c.range(), c.shift(), {8 * sizeof(TypeParam) - 11, 11, 0}));
  };
  EXPECT_EQ(results(one_thread<Host>()), results(Host{}));
}

TYPED_TEST(PairRows, ScoresInDoubleReadThePackedNumbers) {
  this->for_each_case([&](const Operands<TypeParam>& c) {
    const auto scores = pair_scores(Host{}, c.operands, c.n / 2, c.n - c.n / 2);
    for (std::int64_t i = c.n / 2; i < c.n; ++i)
      for (std::int64_t j = 0; j < c.m; ++j)
        ASSERT_NEAR(scores[static_cast<std::size_t>((i - c.n / 2) * c.m + j)] * static_cast<double>(c.operands.kappa),
                    c.score(i, j), 1e-12);
  });
}

TEST(Sums, OfFortyThousandColumnsInFloatAreRightToAFewMillionths) {
  const Operands<float> c(PairScore::dot, 128, 40'000, 30, false);
  const auto tiles = c.tiles();
  const auto sums = pair_row_sums(Host{}, c.operands, std::span<const std::int64_t>(tiles), c.shift());
  double mean = 0.0, largest = 0.0;
  for (std::int64_t i = 0; i < c.n; ++i) {
    double expected = 0.0;
    for (std::int64_t j = 0; j < c.m; ++j) expected += std::exp2(c.exponent(i, j));
    const double error = std::abs(sums[static_cast<std::size_t>(i)] / expected - 1.0);
    mean += error / static_cast<double>(c.n);
    largest = std::max(largest, error);
  }
  EXPECT_LE(mean, 3e-6);
  EXPECT_LE(largest, 2e-5);
}

}  // namespace
}  // namespace thalweg
