// K is the gradient of E, in every form of the costs.
#include "solvers/gromov/quadratic_cost.hpp"

#include <gtest/gtest.h>

#include "geometry/row_gram.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

class QuadraticCosts : public ::testing::Test {
 protected:
  /// E about the coupling of two potentials in a geometry.
  Linearisation at(const QuadraticCost& cost, const LinearCost& linear, PairGeometry& geometry, const Vector& f,
                   const Vector& g) const {
    SinkhornSolution inner;
    inner.f = f;
    inner.g = g;
    inner.epsilon = epsilon;
    for (const double weight : x_.weights) inner.log_alpha.push_back(std::log(weight));
    for (const double weight : y_.weights) inner.log_beta.push_back(std::log(weight));
    geometry.set_reference(inner.log_alpha, inner.log_beta);
    geometry.set_epsilon(epsilon);
    return cost.at(linear, geometry, inner);
  }

  /// dE between P(f + h d) and P(f - h d) is <K(P(f)), dP> up to h^3.
  void expect_gradient(const IntraCosts& source, const IntraCosts& target) const {
    const GromovProblem problem{source, target, x_.weights, y_.weights, epsilon};
    const auto cost = make_quadratic_cost(context_, problem);
    const LinearCost linear = cost->at_product();
    const auto geometry = cost->geometry_of(linear);
    Vector f, g, before, after;
    for (int i = 0; i < 24; ++i) f.push_back(0.1 * std::sin(1.0 + 2.0 * i));
    for (int j = 0; j < 20; ++j) g.push_back(0.1 * std::cos(3.0 * j));
    constexpr double h = 1e-5;
    for (int i = 0; i < 24; ++i) {
      before.push_back(f[static_cast<std::size_t>(i)] - h * std::cos(5.0 * i));
      after.push_back(f[static_cast<std::size_t>(i)] + h * std::cos(5.0 * i));
    }
    const double rise = at(*cost, linear, *geometry, after, g).energy - at(*cost, linear, *geometry, before, g).energy;
    const Linearisation middle = at(*cost, linear, *geometry, f, g);
    const Vector k = cost->geometry_of(middle.linear)->cost_rows({0, 24}), present = geometry->cost_rows({0, 24}),
                 p = geometry->coupling_rows({0, 24}, before, g), q = geometry->coupling_rows({0, 24}, after, g),
                 at_middle = geometry->coupling_rows({0, 24}, f, g);
    double expected = 0.0, size = 0.0, difference = 0.0;
    for (std::size_t at = 0; at < k.size(); ++at) {
      expected += k[at] * (q[at] - p[at]);
      size += std::abs(k[at] * (q[at] - p[at]));
      difference += (k[at] - present[at]) * at_middle[at];
    }
    EXPECT_NEAR(rise, expected, 1e-7 * size);
    EXPECT_NEAR(middle.difference, difference, 1e-12);
  }

  static constexpr double epsilon = 0.3;
  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, Device::cpu, 0};
  ToySide x_ = toy_source(), y_ = toy_target();
};

TEST_F(QuadraticCosts, HaveTheirLinearCostForGradient) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  expect_gradient(StoredIntraCosts{24, std::span<const double>(a), x_.largest(false)},
                  StoredIntraCosts{20, std::span<const double>(b), y_.largest(false)});
  expect_gradient(SquaredDistances{{24, 3, std::span<const double>(x_.points)}, x_.largest(true)},
                  SquaredDistances{{20, 4, std::span<const double>(y_.points)}, y_.largest(true)});
  Matrix c(24, 24), d(20, 20);
  c.values = a;
  d.values = b;
  const Eigensystem of_c = eigensystem_of(c), of_d = eigensystem_of(d);
  expect_gradient(
      FactoredCosts{{24, 24, std::span<const double>(of_c.vectors.values)}, of_c.values, x_.largest(false)},
      FactoredCosts{{20, 20, std::span<const double>(of_d.vectors.values)}, of_d.values, y_.largest(false)});
}

}  // namespace
}  // namespace thalweg
