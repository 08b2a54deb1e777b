// Semi-relaxed and unbalanced couplings, and proximal steps.
#include "toy_fixture.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

class GromovRelaxed : public ToyFixture {
 protected:
  GromovProblem distances(double epsilon, GromovMode mode = GromovMode::balanced) const {
    GromovProblem problem = stored(false, epsilon);
    problem.mode = mode;
    return problem;
  }
  static GromovSettings tight() {
    GromovSettings settings;
    settings.epsilon_start.reset();
    settings.tolerance = 1e-9;
    settings.inner_tolerance = 1e-11;
    settings.inner_iterations = 50000;
    settings.max_outer = 5000;
    return settings;
  }
};

double divergence(const Vector& u, const Vector& v) {
  double sum = 0.0;
  for (std::size_t k = 0; k < u.size(); ++k) sum += u[k] * std::log(u[k] / v[k]) - u[k] + v[k];
  return sum;
}

double squared_divergence(const Vector& u, const Vector& v) {
  const double mass = std::accumulate(u.begin(), u.end(), 0.0), other = std::accumulate(v.begin(), v.end(), 0.0);
  return 2.0 * mass * divergence(u, v) + (mass - other) * (mass - other);
}

/// E_gw and F of a coupling by their definitions.
struct Values {
  double energy = 0.0, balanced = 0.0, unbalanced = 0.0, mass = 0.0;
};

Values values_of(const Vector& coupling, const Vector& a, const Vector& b, const GromovProblem& problem) {
  const std::size_t n = problem.a.size(), m = problem.b.size();
  Vector p(n, 0.0), q(m, 0.0), product;
  Values values;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) {
      p[i] += coupling[i * m + j];
      q[j] += coupling[i * m + j];
      product.push_back(problem.a[i] * problem.b[j]);
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t l = 0; l < m; ++l)
          values.energy += std::pow((a[i * n + k] - b[j * m + l]) / 4.0, 2) * coupling[i * m + j] * coupling[k * m + l];
    }
  values.mass = std::accumulate(p.begin(), p.end(), 0.0);
  values.balanced = values.energy + problem.epsilon * divergence(coupling, product);
  values.unbalanced = values.energy + 0.5 * problem.rho_1 * squared_divergence(p, problem.a) +
                      0.5 * problem.rho_2 * squared_divergence(q, problem.b) +
                      0.5 * problem.epsilon * squared_divergence(coupling, product);
  return values;
}

TEST_F(GromovRelaxed, ReportsTheSumsOfTheCouplingItReturns) {
  for (const GromovMode mode : {GromovMode::semi_relaxed, GromovMode::unbalanced}) {
    GromovProblem problem = distances(0.03, mode);
    problem.rho_1 = 0.3;
    problem.rho_2 = 0.7;
    const GromovSolution solution = solve_gromov(context_, problem, tight());
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    const Values expected = values_of(coupling_of(solution), a_, b_, problem);
    EXPECT_NEAR(solution.energy, expected.energy, 1e-12);
    EXPECT_NEAR(solution.primal, mode == GromovMode::unbalanced ? expected.unbalanced : expected.balanced, 1e-12);
    EXPECT_NEAR(solution.coupling.mass, expected.mass, 1e-12);
  }
}

/// No coupling nearby has a lower F.
TEST_F(GromovRelaxed, EndsAtALocalMinimum) {
  for (const GromovMode mode : {GromovMode::semi_relaxed, GromovMode::unbalanced}) {
    GromovProblem problem = distances(0.03, mode);
    problem.rho_1 = 0.3;
    problem.rho_2 = 0.7;
    const Vector coupling = coupling_of(solve_gromov(context_, problem, tight()));
    const auto loss = [&](const Vector& p) {
      const Values values = values_of(p, a_, b_, problem);
      return mode == GromovMode::unbalanced ? values.unbalanced : values.balanced;
    };
    const double least = loss(coupling);
    for (std::size_t trial = 0; trial < 12; ++trial) {
      Vector moved = coupling;
      for (std::size_t i = 0; i < 24; ++i) {
        double before = 0.0, after = 0.0;
        for (std::size_t j = 0; j < 20; ++j) {
          double& mass = moved[i * 20 + j];
          before += mass;
          mass *= 1.0 + 0.05 * std::sin(static_cast<double>(3 * trial + 5 * i + 7 * j));
          after += mass;
        }
        if (mode == GromovMode::semi_relaxed)
          for (std::size_t j = 0; j < 20; ++j) moved[i * 20 + j] *= before / after;
      }
      EXPECT_GT(loss(moved), least) << trial;
    }
  }
}

TEST_F(GromovRelaxed, IsTheBalancedProblemForLargeRho) {
  GromovProblem problem = distances(0.05, GromovMode::unbalanced);
  problem.rho_1 = problem.rho_2 = 1e6;
  GromovSettings settings = tight();
  settings.tolerance = 1e-12;
  const GromovSolution relaxed = solve_gromov(context_, problem, settings),
                       balanced = solve_gromov(context_, distances(0.05), settings);
  EXPECT_NEAR(relaxed.primal, balanced.primal, 1e-4);
  EXPECT_NEAR(relaxed.energy, balanced.energy, 1e-4);
  const Vector p = coupling_of(relaxed), q = coupling_of(balanced);
  double distance = 0.0;
  for (std::size_t k = 0; k < p.size(); ++k) distance += std::abs(p[k] - q[k]);
  EXPECT_LE(distance, 1e-4);
}

TEST_F(GromovRelaxed, TakesWeightsOfAnyMass) {
  GromovProblem problem = distances(0.05, GromovMode::unbalanced), scaled = problem;
  for (double& weight : scaled.a) weight *= 2.0;
  for (double& weight : scaled.b) weight *= 2.0;
  const GromovSolution one = solve_gromov(context_, problem, tight());
  const GromovSolution two = solve_gromov(context_, scaled, tight());
  EXPECT_EQ(two.stop_reason, StopReason::converged);
  const Values expected = values_of(coupling_of(two), a_, b_, scaled);
  EXPECT_NEAR(two.primal, expected.unbalanced, 1e-11);
  EXPECT_GT(two.coupling.mass, 1.5 * one.coupling.mass);
}

TEST_F(GromovRelaxed, TellsWhenNearlyAllMassIsGone) {
  const Vector linear(24 * 20, 1.0);
  GromovProblem problem = distances(0.05, GromovMode::unbalanced);
  problem.rho_1 = problem.rho_2 = 0.01;
  problem.alpha = 0.5;
  problem.linear = StoredLinearCosts{std::span<const double>(linear)};
  problem.normalise = Normalise::none;
  const GromovSolution solution = solve_gromov(context_, problem, tight());
  EXPECT_EQ(solution.stop_reason, StopReason::collapsed);
  EXPECT_LT(solution.coupling.mass, 1e-8);
  EXPECT_TRUE(solution.coupling.is_collapsed);
}

TEST_F(GromovRelaxed, AgreesInFloat32) {
  const std::vector<float> a(a_.begin(), a_.end()), b(b_.begin(), b_.end());
  for (const GromovMode mode : {GromovMode::semi_relaxed, GromovMode::unbalanced}) {
    GromovProblem narrow = distances(0.03, mode);
    const GromovSolution wide = solve_gromov(context_, narrow, tight());
    narrow.source = StoredIntraCosts{24, std::span<const float>(a), 4.0};
    narrow.target = StoredIntraCosts{20, std::span<const float>(b), 4.0};
    GromovSettings settings = tight();
    settings.tolerance = 1e-6;
    settings.inner_tolerance = 1e-5;
    const Context single{*comm_, Precision::float32, test_device(), 0};
    const GromovSolution solution = solve_gromov(single, narrow, settings);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.primal, wide.primal, 1e-5 * wide.primal);
  }
}

/// Fused, with alpha = 0: rows are softmins of M, or entropic transport with relaxed marginals.
TEST_F(GromovRelaxed, IsLinearForAlphaZero) {
  const Vector linear = toy_linear();
  GromovProblem problem = distances(0.1, GromovMode::semi_relaxed);
  problem.alpha = 0.0;
  problem.linear = StoredLinearCosts{std::span<const double>(linear)};
  problem.normalise = Normalise::none;
  const Vector coupling = coupling_of(solve_gromov(context_, problem, tight()));
  for (std::size_t i = 0; i < 24; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < 20; ++j) sum += y_.weights[j] * std::exp(-linear[i * 20 + j] / 0.1);
    for (std::size_t j = 0; j < 20; ++j)
      EXPECT_NEAR(coupling[i * 20 + j], x_.weights[i] * y_.weights[j] * std::exp(-linear[i * 20 + j] / 0.1) / sum,
                  1e-14);
  }
}

TEST_F(GromovRelaxed, StopsWhenTold) {
  const auto stop = [] { return std::optional(StopReason::time_limit); };
  for (const GromovMode mode : {GromovMode::semi_relaxed, GromovMode::unbalanced}) {
    const GromovSolution told = solve_gromov(context_, distances(0.03, mode), {}, {}, stop);
    EXPECT_EQ(told.stop_reason, StopReason::time_limit);
    EXPECT_EQ(told.history.back().stop_reason, StopReason::time_limit);
    GromovSettings short_run;
    short_run.max_outer = 2;
    EXPECT_EQ(solve_gromov(context_, distances(0.03, mode), short_run).stop_reason, StopReason::max_iterations);
  }
}

/// The limit of proximal steps does not depend on epsilon and has less E than the entropic coupling.
TEST_F(GromovRelaxed, ProximalStepsEndWithoutRegularisation) {
  GromovProblem problem = distances(0.05);
  const double entropic = solve_gromov(context_, problem, tight()).energy;
  problem.regularisation = Regularisation::proximal;
  GromovSettings settings = tight();
  settings.tolerance = 1e-10;
  settings.max_outer = 20000;
  const GromovSolution solution = solve_gromov(context_, problem, settings);
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.primal, solution.energy);
  EXPECT_LT(solution.energy, entropic);
  double lowest = std::numeric_limits<double>::infinity();
  for (const GromovRecord& step : solution.history) {
    if (!step.is_accepted || step.error_target > 1e-9) continue;
    EXPECT_LE(step.primal, lowest + 1e-9);
    lowest = std::min(lowest, step.primal);
  }
}

TEST_F(GromovRelaxed, RefusesWhatDoesNotGoTogether) {
  GromovProblem relaxed = squares();
  relaxed.mode = GromovMode::semi_relaxed;
  EXPECT_THROW(solve_gromov(context_, relaxed, {}), DataError);  // needs stored costs
  GromovProblem proximal = squares();
  proximal.regularisation = Regularisation::proximal;
  EXPECT_THROW(solve_gromov(context_, proximal, {}), DataError);
  proximal = distances(0.02, GromovMode::unbalanced);
  proximal.regularisation = Regularisation::proximal;
  EXPECT_THROW(solve_gromov(context_, proximal, {}), DataError);
  proximal = distances(0.02);
  proximal.regularisation = Regularisation::proximal;
  EXPECT_THROW(solve_gromov({*comm_, Precision::float32, test_device(), 0}, proximal, {}), DataError);
  GromovProblem priceless = distances(0.02, GromovMode::unbalanced);
  priceless.rho_1 = 0.0;
  EXPECT_THROW(solve_gromov(context_, priceless, {}), DataError);
  GromovProblem heavy = distances(0.02, GromovMode::semi_relaxed);
  heavy.a[3] += 1.0;
  EXPECT_THROW(solve_gromov(context_, heavy, {}), DataError);
}

}  // namespace
}  // namespace thalweg
