// Values of POT 0.9.7 and ott 0.6.0 for two small clouds, met by a plain alternating loop over the geometry.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "geometry/pair_geometry.hpp"
#include "tests/support/marginals.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Clouds {
  std::vector<double> x, y, a, b;

  Clouds() {
    for (int i = 0; i < 40; ++i)
      for (int k = 0; k < 3; ++k) x.push_back(std::sin(1 + .37 * i * (k + 1)));
    for (int j = 0; j < 30; ++j)
      for (int k = 0; k < 3; ++k) y.push_back(.5 + std::cos(2 + .53 * j * (k + 1)));
    for (int i = 0; i < 40; ++i) a.push_back(1 + i % 3);
    for (int j = 0; j < 30; ++j) b.push_back(1 + j % 5);
    normalise(a);
    normalise(b);
  }
  static void normalise(std::vector<double>& weights) {
    double sum = 0.0;
    for (const double weight : weights) sum += weight;
    for (double& weight : weights) weight /= sum;
  }
  PairSides sides() const { return {Cost::sq_euclidean, {40, 3, std::span(x)}, {30, 3, std::span(y)}, a, b, {}}; }
};

enum class Reference { product, uniform, counting };

struct Case {
  double epsilon, lambda1, lambda2;
  Reference reference;
  double cost, primal, mass;
};

/// The potentials of a case after many plain alternating updates, and its values from the geometry.
struct Solved {
  double cost = 0.0, primal = 0.0, mass = 0.0, entropy = 0.0;
  std::vector<double> f, g;
};

std::vector<double> logs(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double value : values) result.push_back(std::log(value));
  return result;
}

double penalty(double lambda, const std::vector<double>& sums, const std::vector<double>& weights) {
  if (std::isinf(lambda)) return 0.0;
  double value = 0.0;
  for (std::size_t i = 0; i < sums.size(); ++i)
    value += sums[i] * std::log(sums[i] / weights[i]) - sums[i] + weights[i];
  return lambda * value;
}

Solved solve(PairGeometry& geometry, const Clouds& clouds, const Case& c, int iterations) {
  const auto reference = [&](const std::vector<double>& weights) {
    const double value = c.reference == Reference::uniform ? 1.0 / static_cast<double>(weights.size()) : 1.0;
    return c.reference == Reference::product ? weights : std::vector<double>(weights.size(), value);
  };
  const std::vector<double> alpha = reference(clouds.a), beta = reference(clouds.b);
  geometry.set_scale(3.5165198155582624);
  geometry.set_epsilon(c.epsilon);
  geometry.set_reference(logs(alpha), logs(beta));
  const auto tau = [&](double lambda) { return std::isinf(lambda) ? 1.0 : lambda / (lambda + c.epsilon); };
  std::vector<double> ratio;
  for (std::size_t i = 0; i < 40; ++i) ratio.push_back(std::log(clouds.a[i] / alpha[i]));
  Solved solved;
  solved.g.assign(30, 0.0);
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const Evaluation evaluation = geometry.evaluate({tau(c.lambda1), ratio}, solved.f, solved.g);
    solved.f = evaluation.f;
    for (std::size_t j = 0; j < 30; ++j)
      solved.g[j] = tau(c.lambda2) * (solved.g[j] + c.epsilon * std::log(clouds.b[j] / evaluation.column_sums[j]));
    solved.g = geometry.representable(solved.g);
  }
  const auto exact = geometry.in_float64();
  const auto sums = testing_support::marginals_of(*exact, solved.f, solved.g);
  const RowStatistics statistics = exact->row_statistics(solved.f, solved.g);
  double linear = 0.0, relative = 0.0, reference_mass = 0.0;
  for (std::size_t i = 0; i < 40; ++i) {
    solved.mass += sums.row_sums[i];
    linear += sums.row_sums[i] * solved.f[i];
    relative += statistics.relative_entropy[i];
    solved.entropy += sums.row_sums[i] * (statistics.entropy[i] - std::log(sums.row_sums[i]));
    for (std::size_t j = 0; j < 30; ++j) reference_mass += alpha[i] * beta[j];
  }
  for (std::size_t j = 0; j < 30; ++j) linear += sums.column_sums[j] * solved.g[j];
  solved.cost = linear - c.epsilon * relative;
  solved.primal = linear - c.epsilon * (solved.mass - reference_mass) + penalty(c.lambda1, sums.row_sums, clouds.a) +
                  penalty(c.lambda2, sums.column_sums, clouds.b);
  return solved;
}

const Case cases[] = {
    {.5, infinity, infinity, Reference::product, 0.627402824197372, 0.794182532917852, 1},
    {.05, infinity, infinity, Reference::product, 0.321106372682520, 0.412500700999230, 1},
    {.01, infinity, infinity, Reference::product, 0.307747860147220, 0.330848256020720, 1},
    {.05, 1, 50, Reference::product, 0.289624507147084, 0.394007232069774, 0.992281934729293},
    {.05, 1, 50, Reference::counting, 0.291449521561703, 60.001188619346, 0.998997284635727},
    {.05, 1, 50, Reference::uniform, 0.289432634895932, 0.404110189066767, 0.992084031555993},
    {.05, infinity, 1, Reference::product, 0.290801878752773, 0.394158178662569, 1},
    {.05, infinity, 1, Reference::counting, 0.290570025641805, 59.999739675190, 1},
    {.05, infinity, 1, Reference::uniform, 0.290570025641805, 0.404243516978280, 1},
};

void expect_golden(Precision precision, EvaluationForm form, double tolerance) {
  const Clouds clouds;
  const auto self = make_self_communicator();
  const auto geometry = make_pair_geometry({*self, precision, test_device(), 0}, clouds.sides(), form);
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.epsilon << ' ' << c.lambda1 << ' ' << c.lambda2 << ' '
                                    << static_cast<int>(c.reference));
    const Solved solved = solve(*geometry, clouds, c, c.epsilon < .02 ? 6000 : 2500);
    EXPECT_NEAR(solved.cost, c.cost, tolerance);
    EXPECT_NEAR(solved.primal, c.primal, tolerance * std::max(1.0, c.primal));
    EXPECT_NEAR(solved.mass, c.mass, tolerance);
  }
}

TEST(GoldenValues, AreMetInFloat64ByBothForms) {
  expect_golden(Precision::float64, EvaluationForm::strip, 1e-9);
  expect_golden(Precision::float64, EvaluationForm::two_pass, 1e-9);
}
TEST(GoldenValues, AreMetInFloat32ByBothForms) {
  expect_golden(Precision::float32, EvaluationForm::strip, 1e-5);
  expect_golden(Precision::float32, EvaluationForm::two_pass, 1e-5);
}

TEST(GoldenValues, OfTheCostsAndTheBalancedCoupling) {
  const Clouds clouds;
  const auto self = make_self_communicator();
  for (const Precision precision : {Precision::float64, Precision::float32}) {
    const double tolerance = precision == Precision::float64 ? 1e-9 : 2e-6;
    const auto geometry = make_pair_geometry({*self, precision, test_device(), 0}, clouds.sides());
    EXPECT_NEAR(geometry->cost_statistic(CostStatistic::mean), 3.487920336977733, tolerance);
    EXPECT_NEAR(geometry->cost_statistic(CostStatistic::median), 2.959532681536815, tolerance);
    EXPECT_NEAR(geometry->cost_statistic(CostStatistic::max), 12.856642452107323, 2 * tolerance);
    const Solved solved = solve(*geometry, clouds, cases[1], 2500);
    EXPECT_NEAR(solved.entropy, 5.05259378367209, 50 * tolerance);
    EXPECT_NEAR(solved.f[0] - solved.f[1], -0.0210001557656461, tolerance);
  }
}

}  // namespace
}  // namespace thalweg
