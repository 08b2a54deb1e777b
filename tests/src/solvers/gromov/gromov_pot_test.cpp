// Couplings of small fused problems, by POT (tests/golden/make_gromov.py).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "test_paths.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

constexpr std::int64_t n = 36, m = 28;
constexpr auto entries = static_cast<std::size_t>(n * m);

struct Golden {
  std::string name;
  double energy_gw = 0.0, energy_linear = 0.0, mass = 0.0;
  Vector coupling;
};

Golden read_golden_case(const std::string& name) {
  std::ifstream file(test_data() + "/gromov_cases.txt"),
      couplings(test_data() + "/gromov_couplings.f64", std::ios::binary);
  std::int64_t place = 0;
  for (std::string line; std::getline(file, line); ++place) {
    Golden golden;
    std::istringstream(line) >> golden.name >> golden.energy_gw >> golden.energy_linear >> golden.mass;
    if (golden.name != name) continue;
    golden.coupling.resize(entries);
    const auto bytes = static_cast<std::streamsize>(entries * sizeof(double));
    couplings.seekg(place * bytes);
    couplings.read(reinterpret_cast<char*>(golden.coupling.data()), bytes);
    return golden;
  }
  throw DataError("no golden case '" + name + "'");
}

class GromovPot : public ::testing::Test {
 protected:
  GromovProblem fused(double epsilon) const {
    GromovProblem problem{StoredIntraCosts{n, std::span<const double>(a_), x_.largest(false)},
                          StoredIntraCosts{m, std::span<const double>(b_), y_.largest(false)}, x_.weights, y_.weights,
                          epsilon};
    problem.alpha = 0.6;
    problem.linear = StoredLinearCosts{std::span<const double>(linear_)};
    problem.normalise = Normalise::none;
    return problem;
  }
  void expect_pot(const std::string& name, const GromovProblem& problem, GromovSettings settings) const {
    settings.epsilon_start.reset();
    settings.inner_tolerance = 1e-12;
    settings.inner_iterations = 50000;
    settings.max_outer = 20000;
    const GromovSolution solution = solve_gromov(context_, problem, settings);
    const Golden golden = read_golden_case(name);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.energy_gw, golden.energy_gw, 1e-6);
    EXPECT_NEAR(solution.energy_linear, golden.energy_linear, 1e-6);
    EXPECT_NEAR(solution.coupling.mass, golden.mass, 1e-6);
    const Vector coupling = solution.geometry->coupling_rows({0, n}, solution.coupling.f, solution.coupling.g);
    double distance = 0.0;
    for (std::size_t k = 0; k < entries; ++k) distance += std::abs(coupling[k] - golden.coupling[k]);
    EXPECT_LE(distance, 1e-6);
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  ToySide x_ = toy_source(n), y_ = toy_target(m);
  Vector a_ = x_.distances(false), b_ = y_.distances(false), linear_ = toy_linear(n, m);
};

GromovSettings with_tolerance(double tolerance) {
  GromovSettings settings;
  settings.tolerance = tolerance;
  return settings;
}

TEST_F(GromovPot, HasTheEntropicCoupling) { expect_pot("entropic", fused(0.02), with_tolerance(3e-15)); }

TEST_F(GromovPot, HasTheCouplingOfProximalSteps) {
  GromovProblem problem = fused(0.05);
  problem.regularisation = Regularisation::proximal;
  expect_pot("proximal", problem, with_tolerance(1e-13));
}

TEST_F(GromovPot, HasTheSemiRelaxedCouplingOfProximalSteps) {
  GromovProblem problem = fused(0.05);
  problem.mode = GromovMode::semi_relaxed;
  problem.regularisation = Regularisation::proximal;
  expect_pot("semi_relaxed_proximal", problem, with_tolerance(1e-13));
}

TEST_F(GromovPot, HasTheUnbalancedCoupling) {
  GromovProblem problem = fused(0.02);
  problem.mode = GromovMode::unbalanced;
  problem.rho_1 = problem.rho_2 = 0.5;
  expect_pot("unbalanced", problem, with_tolerance(1e-14));
}

TEST_F(GromovPot, HasTheCouplingOfFrankWolfeSteps) {
  GromovSettings settings = with_tolerance(1e-12);
  settings.algorithm = GromovAlgorithm::frank_wolfe;
  expect_pot("frank_wolfe", fused(0.02), settings);
}

}  // namespace
}  // namespace thalweg
