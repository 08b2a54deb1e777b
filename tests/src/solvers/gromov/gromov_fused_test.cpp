// A cost between the sides beside those within them.
#include "solvers/gromov/quadratic_cost.hpp"
#include "toy_fixture.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

class GromovFused : public ToyFixture {
 protected:
  GromovProblem fused(GromovProblem problem, double alpha, Normalise normalise = Normalise::product) const {
    problem.alpha = alpha;
    problem.linear = shared();
    problem.normalise = normalise;
    return problem;
  }
  SharedFeatures shared() const { return {{24, 2, std::span<const double>(u_)}, {20, 2, std::span<const double>(v_)}}; }
  static GromovSettings tight() {
    GromovSettings settings;
    settings.tolerance = 1e-11;
    settings.inner_tolerance = 1e-11;
    settings.inner_iterations = 20000;
    settings.max_outer = 2000;
    return settings;
  }

  Vector u_ = toy_shared(24, 1.0), v_ = toy_shared(20, 1.1), linear_ = toy_linear();
};

double sum_of_products(const Vector& x, const Vector& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

/// E_gw and <M, P> of a b^T are the units, so that E is 1 there whatever alpha.
TEST_F(GromovFused, HasLossOneAtTheProductOfTheWeights) {
  for (const GromovProblem& problem : {fused(stored(false), 0.3), fused(squares(), 0.3)}) {
    GromovProblem flat = problem;
    flat.epsilon = 1e7;
    const GromovSolution solution = solve_gromov(context_, flat, {});
    EXPECT_NEAR(solution.energy, 1.0, 1e-6);
    EXPECT_NEAR(solution.energy_gw, solution.units.quadratic, 1e-6);
    EXPECT_NEAR(solution.energy_linear, solution.units.linear, 1e-6);
  }
}

TEST_F(GromovFused, AgreesWhetherOrNotSquaresAreStored) {
  const GromovSolution formed = solve_gromov(context_, fused(stored(true), 0.4), tight());
  const GromovSolution factored = solve_gromov(context_, fused(squares(), 0.4), tight());
  EXPECT_EQ(formed.stop_reason, StopReason::converged);
  EXPECT_EQ(factored.stop_reason, StopReason::converged);
  EXPECT_NEAR(formed.units.quadratic, factored.units.quadratic, 1e-13);
  EXPECT_NEAR(formed.units.linear, factored.units.linear, 1e-13);
  EXPECT_NEAR(formed.primal, factored.primal, 1e-9);
  EXPECT_NEAR(formed.energy_gw, factored.energy_gw, 1e-7);
  EXPECT_NEAR(formed.energy_linear, factored.energy_linear, 1e-7);
}

TEST_F(GromovFused, IsEntropicTransportForAlphaZero) {
  PairSides sides;
  sides.source = shared().source;
  sides.target = shared().target;
  sides.source_weights = x_.weights;
  sides.target_weights = y_.weights;
  const auto geometry = make_pair_geometry(context_, sides);
  SinkhornProblem linear;
  linear.geometry = geometry.get();
  linear.a = x_.weights;
  linear.b = y_.weights;
  linear.epsilon = 0.02;
  SinkhornSettings settings;
  settings.tolerance = 1e-11;
  settings.max_iterations = 20000;
  const SinkhornSolution transport = solve_sinkhorn(context_, linear, settings);
  const Vector expected = geometry->coupling_rows({0, 24}, transport.f, transport.g);
  for (const GromovProblem& problem : {stored(false), squares()}) {
    const GromovSolution solution = solve_gromov(context_, fused(problem, 0.0, Normalise::none), tight());
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.primal, transport.primal, 1e-10);
    EXPECT_NEAR(solution.energy_linear, transport.cost, 1e-10);
    const Vector coupling = coupling_of(solution);
    for (std::size_t k = 0; k < coupling.size(); ++k) EXPECT_NEAR(coupling[k], expected[k], 1e-10);
  }
}

TEST_F(GromovFused, IsThePureProblemForAlphaOne) {
  GromovProblem with = fused(stored(false), 1.0, Normalise::none);
  const GromovSolution fused = solve_gromov(context_, with, tight()),
                       pure = solve_gromov(context_, stored(false), tight());
  EXPECT_NEAR(fused.primal, pure.primal, 1e-12);
  const Vector coupling = coupling_of(fused);
  for (std::size_t k = 0; k < coupling.size(); ++k) EXPECT_NEAR(coupling[k], coupling_of(pure)[k], 1e-9);
}

/// E by its definition.
double loss_of(const Vector& coupling, const GromovProblem& problem, const Vector& linear, FusedUnits units) {
  const auto& a = std::get<StoredIntraCosts>(problem.source);
  const auto& b = std::get<StoredIntraCosts>(problem.target);
  const auto x = std::get<std::span<const double>>(a.values), y = std::get<std::span<const double>>(b.values);
  double loss = 0.0;
  for (std::size_t i = 0; i < 24; ++i)
    for (std::size_t k = 0; k < 24; ++k)
      for (std::size_t j = 0; j < 20; ++j)
        for (std::size_t l = 0; l < 20; ++l)
          loss += std::pow(x[i * 24 + k] / a.divisor - y[j * 20 + l] / b.divisor, 2) * coupling[i * 20 + j] *
                  coupling[k * 20 + l];
  return problem.alpha * loss / units.quadratic +
         (1.0 - problem.alpha) * sum_of_products(linear, coupling) / units.linear;
}

TEST_F(GromovFused, LinearisesWithTheGradientOfTheLoss) {
  const GromovProblem problem = fused(stored(false), 0.3);
  const auto cost = make_quadratic_cost(context_, problem);
  const LinearCost start = cost->at_product();
  const auto geometry = cost->geometry_of(start);
  SinkhornProblem inner;
  inner.geometry = geometry.get();
  inner.a = problem.a;
  inner.b = problem.b;
  inner.epsilon = 0.1;
  SinkhornSettings settings;
  settings.tolerance = 1e-13;
  settings.max_iterations = 20000;
  const SinkhornSolution solution = solve_sinkhorn(context_, inner, settings);
  const Vector coupling = geometry->coupling_rows({0, 24}, solution.f, solution.g);
  const Linearisation about = cost->at(start, *geometry, solution);
  EXPECT_NEAR(about.energy, loss_of(coupling, problem, linear_, cost->units()), 1e-12);
  const Vector gradient = cost->geometry_of(about.linear)->cost_rows({0, 24});
  for (std::size_t k = 0; k < 40; ++k) {  // directions that keep the marginals
    const std::size_t i = k % 23, j = (7 * k) % 19;
    Vector direction(coupling.size(), 0.0);
    direction[i * 20 + j] = direction[(i + 1) * 20 + j + 1] = 1.0;
    direction[i * 20 + j + 1] = direction[(i + 1) * 20 + j] = -1.0;
    Vector up = coupling, down = coupling;
    for (std::size_t l = 0; l < up.size(); ++l) {
      up[l] += 1e-3 * direction[l];
      down[l] -= 1e-3 * direction[l];
    }
    const double slope =
        (loss_of(up, problem, linear_, cost->units()) - loss_of(down, problem, linear_, cost->units())) / 2e-3;
    EXPECT_NEAR(sum_of_products(gradient, direction), slope, 1e-7) << k;
  }
}

TEST_F(GromovFused, RefusesLinearCostsThatDoNotFit) {
  GromovProblem problem = stored(false);
  problem.alpha = 0.5;
  EXPECT_THROW(solve_gromov(context_, problem, {}), DataError);  // none
  EXPECT_THROW(solve_gromov(context_, fused(stored(false), 1.5), {}), DataError);
  Vector bad = linear_;
  bad[45] = -1.0;
  problem.linear = StoredLinearCosts{std::span<const double>(bad)};
  EXPECT_THROW(solve_gromov(context_, problem, {}), DataError);
  bad[45] = std::nan("");
  EXPECT_THROW(solve_gromov(context_, problem, {}), DataError);
  problem.linear = StoredLinearCosts{std::span<const double>(linear_).first(20)};
  EXPECT_THROW(solve_gromov(context_, problem, {}), DataError);
  problem = fused(squares(), 0.5);
  problem.linear = StoredLinearCosts{std::span<const double>(linear_)};
  EXPECT_THROW(solve_gromov(context_, problem, {}), DataError);
  problem.linear = SharedFeatures{shared().source, {20, 1, std::span<const double>(v_).first(20)}};
  EXPECT_THROW(solve_gromov(context_, problem, {}), DataError);
}

}  // namespace
}  // namespace thalweg
