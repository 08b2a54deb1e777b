// Products in memory of the default execution space, a device in a device build, against those of the host.
#include "solvers/gromov/device_panels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "solvers/gromov/row_product.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

/// Some entry of a matrix, of either sign.
double entry(std::int64_t i, std::int64_t j, double phase) {
  return std::sin(phase + 0.37 * static_cast<double>(i) + 1.7 * static_cast<double>(j) +
                  0.01 * static_cast<double>(i * j % 97));
}

template <class Scalar>
struct DeviceProducts : testing::Test {
  static std::vector<Scalar> matrix(std::int64_t rows, std::int64_t columns, double phase) {
    std::vector<Scalar> values;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) values.push_back(static_cast<Scalar>(entry(i, j, phase)));
    return values;
  }

  static LeftRows<Scalar> left(std::int64_t rows, std::int64_t columns, bool by_columns,
                               std::int64_t* filled = nullptr) {
    return {rows, columns, by_columns, [=](RowRange part, RowRange depth, Scalar* to) {
              for (std::int64_t i = part.begin; i < part.end; ++i)
                for (std::int64_t k = depth.begin; k < depth.end; ++k)
                  to[by_columns ? (k - depth.begin) * block_rows + i - part.begin
                                : (i - part.begin) * depth.size() + k - depth.begin] =
                      static_cast<Scalar>(entry(i, k, 0.5));
              if (filled && part.begin == 0) *filled += depth.size();
            }};
  }

  /// A B, or A L B where L is given, rows x width, as `use` is given it.
  static std::vector<double> product(const PanelProducts<Scalar>& products, const std::vector<Scalar>& right,
                                     std::int64_t rows, std::int64_t width, const PanelProducts<Scalar>* l = nullptr) {
    std::vector<double> result(static_cast<std::size_t>(rows * width), std::numeric_limits<double>::quiet_NaN());
    const UseProduct use = [&](RowRange part, const double* block) {
      for (std::int64_t i = part.begin; i < part.end; ++i)
        for (std::int64_t c = 0; c < width; ++c)
          result[static_cast<std::size_t>(i * width + c)] = block[c * block_rows + i - part.begin];
    };
    if (l) products.with_product(*l, right, width, use);
    else products.with(right, width, use);
    return result;
  }

  /// Of sums of `depth` terms of size at most 1, whose roundings have either sign.
  static double rounding(std::int64_t depth) {
    return 8.0 * static_cast<double>(depth) * std::numeric_limits<Scalar>::epsilon();
  }

  static void expect_near(const std::vector<double>& values, const std::vector<double>& expected, std::int64_t depth) {
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], rounding(depth)) << i;
  }
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(DeviceProducts, Scalars);

TYPED_TEST(DeviceProducts, ByPanelsAreThoseOfTheHostForBothLayouts) {
  for (const auto& [rows, columns] :
       {std::pair<std::int64_t, std::int64_t>{1, 1}, {256, 1024}, {700, 1100}, {259, 2049}})
    for (const bool by_columns : {false, true}) {
      const auto left = this->left(rows, columns, by_columns);
      const auto on_device = panel_products<TypeParam>(Device::cuda, left),
                 on_host = panel_products<TypeParam>(Device::cpu, left);
      for (const std::int64_t width : {1, 37}) {
        const auto right = this->matrix(columns, width, static_cast<double>(width));
        this->expect_near(this->product(*on_device, right, rows, width), this->product(*on_host, right, rows, width),
                          columns);
      }
    }
}

TYPED_TEST(DeviceProducts, ByPanelsAreSumsOfProducts) {
  const std::int64_t rows = 300, columns = 1500, width = 5;
  const auto right = this->matrix(columns, width, 0.1);
  const auto products = panel_products<TypeParam>(Device::cuda, this->left(rows, columns, true));
  const std::vector<double> values = this->product(*products, right, rows, width);
  for (std::int64_t i = 0; i < rows; i += 13)
    for (std::int64_t c = 0; c < width; ++c) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < columns; ++k)
        sum += static_cast<double>(static_cast<TypeParam>(entry(i, k, 0.5))) *
               static_cast<double>(right[static_cast<std::size_t>(k * width + c)]);
      ASSERT_NEAR(values[static_cast<std::size_t>(i * width + c)], sum, this->rounding(columns)) << i << " " << c;
    }
}

TYPED_TEST(DeviceProducts, OfAProductAreThoseOfTheHost) {
  const std::int64_t rows = 300, middle = 1100, columns = 270, width = 7;
  const auto right = this->matrix(columns, width, 0.3);
  const auto of = [&](Device device) {
    const auto l = panel_products<TypeParam>(device, this->left(middle, columns, true));
    return this->product(*panel_products<TypeParam>(device, this->left(rows, middle, false)), right, rows, width,
                         l.get());
  };
  // What is rounded is as large as the square root of its terms.
  const double size = std::sqrt(static_cast<double>(columns));
  const std::vector<double> values = of(Device::cuda), expected = of(Device::cpu);
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(values[i], expected[i], size * this->rounding(middle)) << i;
  EXPECT_GT(*std::max_element(expected.begin(), expected.end()), size);  // of more than zeros
}

TYPED_TEST(DeviceProducts, FormTheLeftMatrixOnceForAllPanels) {
  std::int64_t filled = 0;
  const auto products = panel_products<TypeParam>(Device::cuda, this->left(10, 1300, false, &filled));
  for (int panel = 0; panel < 3; ++panel) this->product(*products, this->matrix(1300, 4, 0.2), 10, 4);
  EXPECT_EQ(filled, 1300);
}

TYPED_TEST(DeviceProducts, OfNoRowsAreNone) {
  const auto products = panel_products<TypeParam>(Device::cuda, this->left(0, 20, false));
  products->with(this->matrix(20, 3, 0.2), 3, [](RowRange, const double*) { FAIL(); });
}

TYPED_TEST(DeviceProducts, OfRowsAreThoseOfTheHost) {
  const auto comm = make_self_communicator();
  for (const auto& [n, k, m] : {std::array<std::int64_t, 3>{1, 1, 1}, {700, 1100, 37}, {3, 2050, 300}}) {
    const auto a = this->matrix(n, k, 0.3), b = this->matrix(k, m, 1.1);
    const OwnedRows<TypeParam> left{n, k, a, 2.0}, right{k, m, b, 4.0};
    this->expect_near(product_of_rows<TypeParam>(*comm, left, right, Device::cuda),
                      product_of_rows<TypeParam>(*comm, left, right), k);
  }
}

/// Costs within the sides that are stored, solved with all products in memory of the default execution space.
GromovSolution solved_on(Device device, GromovAlgorithm algorithm) {
  using testing_support::toy_source, testing_support::toy_target;
  const auto comm = make_self_communicator();
  const auto x = toy_source(), y = toy_target();
  const std::vector<double> source = x.distances(false), target = y.distances(false);
  const GromovProblem problem{StoredIntraCosts{x.size, std::span<const double>(source), 2.0},
                              StoredIntraCosts{y.size, std::span<const double>(target), 2.0}, x.weights, y.weights,
                              0.05};
  GromovSettings settings;
  settings.algorithm = algorithm;
  return solve_gromov({*comm, Precision::float64, device, 0}, problem, settings);
}

TEST(SolvesOnADevice, EndWhereThoseOfTheHostDo) {
  for (const GromovAlgorithm algorithm : {GromovAlgorithm::mirror, GromovAlgorithm::frank_wolfe}) {
    const GromovSolution device = solved_on(Device::cuda, algorithm), host = solved_on(Device::cpu, algorithm);
    EXPECT_EQ(device.stop_reason, host.stop_reason);
    EXPECT_NEAR(device.energy, host.energy, 1e-9 * std::abs(host.energy));
  }
}

}  // namespace
}  // namespace thalweg
