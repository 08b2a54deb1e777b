#include "solvers/hm_ot/sweep.hpp"

#include <gtest/gtest.h>

#include "chains.hpp"
#include "exact/transport.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;
using testing_support::SmallChain;

std::vector<Cloud> two_clouds() {
  return {testing_support::gaussian_cloud(60, 3, 4, 4.0, 0.0, 41), testing_support::gaussian_cloud(50, 3, 3, 4.0, 1.0, 42)};
}
std::vector<Cloud> four_clouds() {
  std::vector<Cloud> clouds = two_clouds();
  clouds.push_back(testing_support::gaussian_cloud(300, 3, 4, 4.0, 2.0, 43));
  clouds.push_back(testing_support::gaussian_cloud(70, 3, 4, 4.0, 3.0, 44));
  clouds[3].weights = testing_support::uneven_weights(70);
  return clouds;
}

/// P of one transition, n x m, formed as it is defined.
Matrix dense_coupling(const SmallChain& small, const ChainState& state, std::size_t edge) {
  const Matrix q = small.memberships(state, edge), q_next = small.memberships(state, edge + 1);
  const std::vector<double> a = small.clouds[edge].normalised_weights(), b = small.clouds[edge + 1].normalised_weights();
  const std::vector<double>&g = state.slices[edge].actual, &g_next = state.slices[edge + 1].actual;
  const Matrix& coupling = state.couplings[edge];
  Matrix result(q.rows, q_next.rows);
  for (std::int64_t i = 0; i < q.rows; ++i)
    for (std::int64_t j = 0; j < q_next.rows; ++j)
      for (std::int64_t k = 0; k < q.columns; ++k)
        for (std::int64_t l = 0; l < q_next.columns; ++l)
          result(i, j) += a[static_cast<std::size_t>(i)] * q(i, k) / g[static_cast<std::size_t>(k)] * coupling(k, l) /
                          g_next[static_cast<std::size_t>(l)] * q_next(j, l) * b[static_cast<std::size_t>(j)];
  return result;
}

double dense_cost(const Cloud& x, const Cloud& y, const Matrix& coupling) {
  double cost = 0.0;
  for (std::int64_t i = 0; i < x.num_rows; ++i)
    for (std::int64_t j = 0; j < y.num_rows; ++j)
      for (std::int64_t f = 0; f < x.dimension; ++f) cost += coupling(i, j) * (x(i, f) - y(j, f)) * (x(i, f) - y(j, f));
  return cost;
}

/// KL(Q | a (x) s) of one slice.
double dense_divergence(const SmallChain& small, const ChainState& state, std::size_t slice) {
  const Matrix q = small.memberships(state, slice);
  const std::vector<double> a = small.clouds[slice].normalised_weights();
  double sum = 0.0;
  for (std::int64_t i = 0; i < q.rows; ++i)
    for (std::int64_t k = 0; k < q.columns; ++k)
      if (q(i, k) > 0.0) sum += a[static_cast<std::size_t>(i)] * q(i, k) * std::log(q(i, k) / state.slices[slice].actual[static_cast<std::size_t>(k)]);
  return sum;
}

TEST(Sweep, ObjectiveEqualsTheDenseCostOfFeasibleCouplings) {
  for (const double level : {3e-2, 1e-3}) {
    SmallChain small(four_clouds(), {4, 3, 4, 5});
    small.chain.edges[1].weight = 0.5;
    ChainState state = small.start();
    for (int count = 0; count < 3; ++count) ASSERT_TRUE(sweep(small.chain, small.options(level), state));
    double objective = 0.0, divergence = 0.0;
    for (std::size_t t = 0; t < 3; ++t) {
      const Matrix coupling = dense_coupling(small, state, t);
      const double cost = small.chain.edges[t].weight * dense_cost(small.clouds[t], small.clouds[t + 1], coupling);
      EXPECT_NEAR(transition_cost(small.chain, state, t), cost, 1e-10 * cost);
      objective += cost;
      EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(coupling), small.clouds[t].normalised_weights()), 1e-13);
      EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(testing_support::transposed(coupling)),
                                                    small.clouds[t + 1].normalised_weights()), 1e-13);
    }
    for (std::size_t t = 0; t < 4; ++t) divergence += dense_divergence(small, state, t);
    EXPECT_NEAR(state.objective, objective, 1e-10 * objective);
    EXPECT_NEAR(state.regularized, objective + level * small.chain.variance * divergence, 1e-10 * objective);
    EXPECT_LE(column_error(small.chain, state), 1e-12);
  }
}

/// The block descent with Q stored and the columns fitted by Sinkhorn in the log domain.
struct StoredDescent {
  const SmallChain& small;
  std::vector<Matrix> q;  // sum 1
  std::vector<std::vector<double>> masses;
  std::vector<Matrix> couplings;

  StoredDescent(const SmallChain& small_, const ChainState& start) : small(small_), couplings(start.couplings) {
    for (const SliceState& slice : start.slices) masses.push_back(slice.masses);
    q.resize(start.slices.size());
  }

  Matrix means(std::size_t slice, const ChainState& start) const {
    if (q[slice].values.empty()) return start.slices[slice].means;
    const Cloud& cloud = small.clouds[slice];
    const std::vector<double> sums = testing_support::row_sums(testing_support::transposed(q[slice]));
    Matrix result(cloud.dimension, q[slice].columns);
    for (std::int64_t i = 0; i < cloud.num_rows; ++i)
      for (std::int64_t k = 0; k < result.columns; ++k)
        for (std::int64_t j = 0; j < cloud.dimension; ++j)
          result(j, k) += q[slice](i, k) / sums[static_cast<std::size_t>(k)] * (cloud(i, j) - small.chain.center[static_cast<std::size_t>(j)]);
    return result;
  }

  void solve_block(std::size_t slice, double epsilon, const ChainState& start) {
    const Cloud& cloud = small.clouds[slice];
    const std::vector<double> a = cloud.normalised_weights(), &g = masses[slice];
    const Matrix other = means(1 - slice, start);
    const Matrix plan = slice == 0 ? couplings[0] : testing_support::transposed(couplings[0]);
    Matrix log_q(cloud.num_rows, plan.rows);
    for (std::int64_t i = 0; i < log_q.rows; ++i)
      for (std::int64_t k = 0; k < log_q.columns; ++k)
        for (std::int64_t l = 0; l < plan.columns; ++l)
          for (std::int64_t j = 0; j < cloud.dimension; ++j)
            log_q(i, k) += 2.0 / epsilon * (cloud(i, j) - small.chain.center[static_cast<std::size_t>(j)]) * plan(k, l) * other(j, l) / g[static_cast<std::size_t>(k)];
    double error = 1.0;
    for (int step = 0; error >= 1e-12; ++step) {
      if (step == 200000) throw std::runtime_error("Sinkhorn did not converge");
      add_to_rows(log_q, a);
      error = 0.0;
      const std::vector<double> sums = testing_support::row_sums(testing_support::transposed(exponential(log_q)));
      for (std::size_t k = 0; k < g.size(); ++k) error += std::abs(sums[k] - g[k]);
      if (error < 1e-12) break;
      for (std::int64_t i = 0; i < log_q.rows; ++i)
        for (std::int64_t k = 0; k < log_q.columns; ++k) log_q(i, k) += std::log(g[static_cast<std::size_t>(k)] / sums[static_cast<std::size_t>(k)]);
    }
    q[slice] = exponential(log_q);
  }

  /// Row constants that make row i sum to a_i.
  static void add_to_rows(Matrix& log_q, const std::vector<double>& a) {
    for (std::int64_t i = 0; i < log_q.rows; ++i) {
      const double top = *std::max_element(log_q.row(i).begin(), log_q.row(i).end());
      double total = 0.0;
      for (const double value : log_q.row(i)) total += std::exp(value - top);
      for (double& value : log_q.row(i)) value += std::log(a[static_cast<std::size_t>(i)]) - top - std::log(total);
    }
  }
  static Matrix exponential(Matrix matrix) {
    for (double& value : matrix.values) value = std::exp(value);
    return matrix;
  }

  double solve_coupling(const ChainState& start) {
    const Matrix x = means(0, start), y = means(1, start);
    Matrix cost(x.columns, y.columns);
    for (std::int64_t k = 0; k < x.columns; ++k)
      for (std::int64_t l = 0; l < y.columns; ++l)
        for (std::int64_t j = 0; j < x.rows; ++j) cost(k, l) += (x(j, k) - y(j, l)) * (x(j, k) - y(j, l));
    const TransportSolution solution = solve_transport(masses[0], masses[1], cost);
    couplings[0] = solution.coupling;
    return solution.cost + inertia(0, x) + inertia(1, y);
  }
  double inertia(std::size_t slice, const Matrix& mean) const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < q[slice].rows; ++i)
      for (std::int64_t k = 0; k < mean.columns; ++k)
        for (std::int64_t j = 0; j < mean.rows; ++j) {
          const double difference = small.clouds[slice](i, j) - small.chain.center[static_cast<std::size_t>(j)] - mean(j, k);
          sum += q[slice](i, k) * difference * difference;
        }
    return sum;
  }
};

TEST(Sweep, EqualsADescentThatStoresTheMemberships) {
  SmallChain small(two_clouds(), {4, 3});
  const double level = 0.1, epsilon = level * small.chain.variance;
  ChainState state = small.start();
  StoredDescent stored(small, state);
  const ChainState start = state;
  for (int count = 0; count < 6; ++count) {
    ASSERT_TRUE(sweep(small.chain, small.options(level), state));
    double objective = 0.0;
    for (const std::size_t slice : {0, 1}) {
      stored.solve_block(slice, epsilon, start);
      if (slice == 1 || count > 0) objective = stored.solve_coupling(start);
      else {  // the second slice has no memberships yet: its start means serve
        stored.q[1] = Matrix(small.clouds[1].num_rows, 3);
        const Matrix x = stored.means(0, start);
        stored.q[1] = {};
        Matrix cost(4, 3);
        for (std::int64_t k = 0; k < 4; ++k)
          for (std::int64_t l = 0; l < 3; ++l)
            for (std::int64_t j = 0; j < 3; ++j) cost(k, l) -= 2.0 * x(j, k) * start.slices[1].means(j, l);
        stored.couplings[0] = solve_transport(stored.masses[0], stored.masses[1], cost).coupling;
      }
    }
    EXPECT_NEAR(state.objective, objective, 1e-8 * objective) << count;
  }
}

TEST(Sweep, NeverRaisesTheRegularisedObjective) {
  for (const double level : {3e-2, 3e-3, 1e-3}) {
    SmallChain small(four_clouds(), {4, 3, 4, 5});
    ChainState state = small.start();
    ASSERT_TRUE(sweep(small.chain, small.options(level), state));
    for (int count = 0; count < 40; ++count) {
      const double before = state.regularized;
      ASSERT_TRUE(sweep(small.chain, small.options(level), state));
      EXPECT_LE(state.regularized, before * (1.0 + 1e-12));
    }
  }
}

TEST(SolveBlock, LowersTheObjectiveAndLeavesTheOtherSlices) {
  SmallChain small(two_clouds(), {4, 3});
  ChainState state = small.start();
  const ChainState before = state;
  ASSERT_TRUE(solve_block(small.chain, 0, small.options(1e-3), state));
  EXPECT_EQ(state.slices[1].means, before.slices[1].means);
  EXPECT_EQ(state.couplings[0], before.couplings[0]);
  EXPECT_LT(transition_cost(small.chain, state, 0), transition_cost(small.chain, before, 0));
}

TEST(SolveBlock, ThatFailsLeavesTheStateUnchanged) {
  SmallChain small(two_clouds(), {4, 3});
  ChainState state = small.start();
  const ChainState before = state;
  SweepOptions options = small.options(1e-3);
  options.duals.max_passes = 1;
  EXPECT_FALSE(solve_block(small.chain, 0, options, state));
  EXPECT_EQ(state.slices[0].means, before.slices[0].means);
  EXPECT_TRUE(state.slices[0].duals.empty());
}

TEST(BlockLogits, SumToZeroOverTypes) {
  SmallChain small(four_clouds(), {4, 3, 4, 5});
  const Matrix logits = block_logits(small.chain, small.start(), 1, 0.1);
  ASSERT_EQ(logits.columns, 3);
  for (std::int64_t j = 0; j < 3; ++j) EXPECT_NEAR(testing_support::row_sums(logits)[static_cast<std::size_t>(j)], 0.0, 1e-12);
}

TEST(SolveCouplings, KeepGivenOnesMasksAndDiagonals) {
  SmallChain small(four_clouds(), {4, 4, 4, 3});
  Matrix allowed(4, 3, 1.0), given(4, 4, 1.0 / 16.0);
  allowed(0, 0) = allowed(2, 1) = allowed(3, 2) = 0.0;
  small.chain.edges[0].coupling = given;
  small.chain.edges[1].is_diagonal = true;
  small.chain.edges[2].allowed = allowed;
  ChainState state = small.start();
  solve_couplings(small.chain, state);
  EXPECT_EQ(state.couplings[0], given);
  for (std::int64_t k = 0; k < 4; ++k)
    for (std::int64_t l = 0; l < 4; ++l)
      EXPECT_EQ(state.couplings[1](k, l), k == l ? state.slices[1].masses[static_cast<std::size_t>(k)] : 0.0);
  for (std::size_t i = 0; i < 12; ++i)
    if (allowed.values[i] == 0.0) { EXPECT_EQ(state.couplings[2].values[i], 0.0); }
  EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(state.couplings[2]), state.slices[2].masses), 1e-14);
}

}  // namespace
}  // namespace thalweg
