// Bounds of the loss, and the entries of costs that they and the starts are made of.
#include "solvers/gromov/lower_bounds.hpp"

#include <gtest/gtest.h>

#include "exact/transport.hpp"
#include "solvers/gromov/anchors.hpp"
#include "solvers/squared_distances.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

class GromovBounds : public ::testing::Test {
 protected:
  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  ToySide x_ = toy_source(), y_ = toy_target();
};

/// Values of POT 0.9.7: emd of the bin means and of the eccentricities.
TEST_F(GromovBounds, HaveTheValuesOfExactTransport) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  const LowerBounds bounds = lower_bounds(
      context_, {StoredIntraCosts{24, std::span<const double>(a), x_.largest(false)},
                 StoredIntraCosts{20, std::span<const double>(b), y_.largest(false)}, x_.weights, y_.weights, 0.01});
  EXPECT_NEAR(*bounds.distribution, 0.02054326, 1e-8);
  EXPECT_NEAR(bounds.eccentricity, 0.01680005, 1e-8);
}

TEST_F(GromovBounds, AreThoseOfTheSameCostsInAnyForm) {
  const Vector a = x_.distances(true), b = y_.distances(true);
  const LowerBounds stored =
      lower_bounds(context_, {StoredIntraCosts{24, std::span<const double>(a), 3.0},
                              StoredIntraCosts{20, std::span<const double>(b), 5.0}, x_.weights, y_.weights, 0.01});
  const LowerBounds points = lower_bounds(
      context_, {SquaredDistances{{24, 3, std::span<const double>(x_.points)}, 3.0},
                 SquaredDistances{{20, 4, std::span<const double>(y_.points)}, 5.0}, x_.weights, y_.weights, 0.01});
  EXPECT_NEAR(stored.eccentricity, points.eccentricity, 1e-13);
  EXPECT_NEAR(*stored.distribution, *points.distribution, 1e-13);
}

TEST_F(GromovBounds, MeanOfBinsIsThatOfTheDistances) {
  const Vector a = x_.distances(false);
  const IntraRows rows(*comm_, StoredIntraCosts{24, std::span<const double>(a), 2.0});
  const Matrix means = quantile_means(*comm_, rows, x_.weights);
  for (std::int64_t i = 0; i < 24; ++i) {
    double expected = 0.0, found = 0.0;
    for (std::size_t k = 0; k < 24; ++k) expected += x_.weights[k] * a[static_cast<std::size_t>(i) * 24 + k] / 2.0;
    for (const double mean : means.row(i)) found += mean * 8.0 / 64.0;
    EXPECT_NEAR(found, expected, 1e-13);
    for (std::size_t bin = 1; bin < 64; ++bin) EXPECT_GE(means.row(i)[bin], means.row(i)[bin - 1] - 1e-13);
  }
}

/// Bytes and doubles of the same hops; more cells than exact transport is used for.
TEST_F(GromovBounds, StayBelowExactTransportOfManyCells) {
  const auto hops_of = [](std::int64_t size, double bend) {
    std::vector<std::uint8_t> hops;
    for (std::int64_t i = 0; i < size; ++i)
      for (std::int64_t k = 0; k < size; ++k) {
        const double x = static_cast<double>(i) / static_cast<double>(size),
                     y = static_cast<double>(k) / static_cast<double>(size);
        hops.push_back(static_cast<std::uint8_t>(std::round(9.0 * std::abs(x - y + bend * (x * x - y * y)))));
      }
    return hops;
  };
  const std::vector<std::uint8_t> x = hops_of(530, 0.1), y = hops_of(520, 0.8);
  const Vector x_double(x.begin(), x.end()), a(530, 1.0 / 530), b(520, 1.0 / 520);
  const StoredIntraCosts source{530, std::span<const std::uint8_t>(x), 9.0},
      target{520, std::span<const std::uint8_t>(y), 9.0};
  const LowerBounds bounds = lower_bounds(context_, {source, target, a, b, 0.01});
  const Matrix of_x = quantile_means(*comm_, IntraRows(*comm_, source), a),
               of_y = quantile_means(*comm_, IntraRows(*comm_, target), b),
               of_doubles = quantile_means(
                   *comm_, IntraRows(*comm_, StoredIntraCosts{530, std::span<const double>(x_double), 9.0}), a);
  for (std::size_t e = 0; e < of_x.values.size(); ++e) EXPECT_NEAR(of_x.values[e], of_doubles.values[e], 1e-13);
  const double exact = solve_transport(a, b, squared_distances(of_x, of_y)).cost;
  EXPECT_LE(*bounds.distribution, exact + 1e-14);
  EXPECT_GE(*bounds.distribution, 0.95 * exact);
  EXPECT_GE(*bounds.distribution, bounds.eccentricity);
}

TEST_F(GromovBounds, CoupleNumbersInAscendingOrder) {
  const Matrix coupling = monotone_coupling({3.0, 1.0, 2.0}, {0.5, 0.1}, {0.25, 0.5, 0.25}, {0.5, 0.5});
  EXPECT_EQ(coupling.values, (Vector{0.25, 0.0, 0.0, 0.5, 0.25, 0.0}));
}

/// Five lumps of equal points and one far point of small weight.
TEST_F(GromovBounds, AnchorsAreSpreadAndCarryAllWeight) {
  Vector points;
  for (int i = 0; i < 60; ++i) points.push_back(static_cast<double>(i % 5));
  points.push_back(1000.0);
  Vector weights(61, 1.0 / 60.5);
  weights.back() = 0.5 / 60.5;
  const IntraRows rows(*comm_, SquaredDistances{{61, 1, std::span<const double>(points)}, 1.0});
  const Anchors six = choose_anchors(*comm_, rows, weights, 6, {3, 74});
  ASSERT_EQ(six.cells.size(), 6U);
  EXPECT_EQ(six.cells.back(), 60);  // chosen second: its squared distance outweighs all
  for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(six.weights[k], k < 5 ? 12.0 / 60.5 : 0.5 / 60.5, 1e-12);
  EXPECT_EQ(choose_anchors(*comm_, rows, weights, 20, {3, 74}).cells.size(), 6U);  // no other places are left
  EXPECT_NE(choose_anchors(*comm_, rows, weights, 6, {4, 74}).cells, six.cells);
}

/// Cells between two anchors go to either.
TEST_F(GromovBounds, AnchorsShareCellsThatAreEquallyNear) {
  constexpr std::int64_t n = 402;
  std::vector<std::uint8_t> hops(n * n, 1);
  for (std::int64_t i = 0; i < n; ++i) hops[static_cast<std::size_t>(i * n + i)] = 0;
  const IntraRows rows(*comm_, StoredIntraCosts{n, std::span<const std::uint8_t>(hops), 1.0});
  const Anchors two = choose_anchors(*comm_, rows, Vector(n, 1.0 / n), 2, {1, 74});
  ASSERT_EQ(two.cells.size(), 2U);
  for (const double weight : two.weights) EXPECT_NEAR(weight, 0.5, 0.125);  // five standard deviations
}

}  // namespace
}  // namespace thalweg
