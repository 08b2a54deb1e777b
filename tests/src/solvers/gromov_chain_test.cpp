// Gromov-Wasserstein parts of a chain: values, gradients, descent, starts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "intra_clouds.hpp"
#include "solvers/hm_ot/anchor_moments.hpp"
#include "solvers/hm_ot/clustering.hpp"
#include "solvers/hm_ot/edge_form.hpp"
#include "solvers/hm_ot/prepare.hpp"
#include "solvers/hm_ot/start.hpp"
#include "solvers/hm_ot/sweep.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;
using testing_support::curved_cloud;
using testing_support::gaussian_cloud;
using testing_support::IntraSlice;
using testing_support::no_features;

/// Slices with coordinates on one process, their chain and the k-means start on all rows.
struct Fixture {
  Alone alone;
  std::vector<IntraSlice> slices;
  HmOtProblem problem;
  Chain chain;
  std::vector<SampledSlice> sample;

  Fixture(std::vector<IntraSlice> slices_, double alpha, const std::vector<std::int64_t>& num_types)
      : slices(std::move(slices_)), problem(testing_support::intra_problem(*alone.comm, slices, alpha, num_types)),
        chain(prepare_chain(alone.context(), problem, {})) {
    for (const HmOtSlice& slice : problem.slices) sample.push_back(draw_sample(*alone.comm, slice.rows, {}, slice.rows.num_rows, {7, 0}));
  }

  ChainState start() const { return kmeans_start(chain, sample, 0, anchor_moments(alone.context(), problem, chain, sample)); }
  SweepOptions options(double level) const {
    SweepOptions result;
    result.epsilon = level * chain.variance;
    result.duals = {1e-12, 1e-15, 60};
    return result;
  }
  ChainState swept(double level, int sweeps) const {
    ChainState state = start();
    for (int count = 0; count < sweeps; ++count)
      if (!sweep(chain, options(level), state)) throw std::runtime_error("a block could not be solved");
    return state;
  }
  Matrix coupling(const ChainState& state, std::size_t edge) const {
    std::vector<Matrix> q;
    for (const std::size_t t : {edge, edge + 1}) {
      q.emplace_back(slices[t].num_rows(), chain.slices[t].num_types);
      q.back().values = slice_memberships(chain, state.slices[t], t, 0, (slices[t].num_rows() + block_rows - 1) / block_rows);
    }
    return testing_support::dense_coupling(slices[edge].places.normalised_weights(), q[0], state.slices[edge].actual, state.couplings[edge],
                                           state.slices[edge + 1].actual, q[1], slices[edge + 1].places.normalised_weights());
  }
};

/// Unequal weights, other dimensions, far from the origin.
std::vector<IntraSlice> small_slices(bool has_features) {
  std::vector<IntraSlice> slices;
  const std::int64_t sizes[] = {20, 17, 15}, dimensions[] = {3, 2, 3};
  for (std::size_t t = 0; t < 3; ++t) {
    Cloud places = curved_cloud(sizes[t], dimensions[t], static_cast<std::uint32_t>(201 + t));
    for (std::int64_t i = 0; i < sizes[t]; ++i) places.weights.push_back(1.0 + 0.5 * std::cos(static_cast<double>(i)));
    Cloud features = has_features ? gaussian_cloud(sizes[t], 4, 3, 3.0, 0.2 * static_cast<double>(t), static_cast<std::uint32_t>(211 + t)) : no_features(places);
    features.weights = places.weights;
    slices.push_back({std::move(features), std::move(places)});
  }
  return slices;
}

std::vector<IntraSlice> two_slices(std::int64_t n, std::int64_t m, bool has_features) {
  std::vector<IntraSlice> slices;
  for (const std::int64_t rows : {n, m}) {
    const bool is_first = slices.empty();
    Cloud places = curved_cloud(rows, is_first ? 3 : 2, is_first ? 221 : 222);
    Cloud features = has_features ? gaussian_cloud(rows, 5, 6, 4.0, is_first ? 0.0 : 0.5, is_first ? 223 : 224) : no_features(places);
    slices.push_back({std::move(features), std::move(places)});
  }
  return slices;
}

TEST(GromovChain, ValuesAreThoseOfTheDenseSum) {
  for (const bool has_features : {false, true}) {
    SCOPED_TRACE(has_features);
    const Fixture fixture(small_slices(has_features), 0.4, {4, 3, 4});
    const ChainState state = fixture.swept(1e-2, 3);
    double objective = 0.0;
    for (std::size_t t = 0; t < 2; ++t) {
      const Matrix coupling = fixture.coupling(state, t);
      const TransitionParts parts = transition_parts(fixture.chain, state, t);
      const double gromov = testing_support::dense_gromov(fixture.slices[t].places, fixture.slices[t + 1].places, coupling);
      const double transport = testing_support::dense_transport(fixture.slices[t].features, fixture.slices[t + 1].features, coupling);
      EXPECT_NEAR(parts.gromov, gromov, 1e-10 * gromov);
      EXPECT_NEAR(parts.transport, transport, 1e-10 * transport);
      objective += fixture.chain.edges[t].weight * transport + fixture.chain.edges[t].gromov * gromov;
    }
    EXPECT_NEAR(state.objective, objective, 1e-10 * objective);
  }
}

TEST(GromovChain, WeighsBothPartsByTheirValuesAtIndependentCoupling) {
  const double alpha = 0.3;
  const Fixture fixture(small_slices(true), alpha, {3});
  double gromov = 0.0, transport = 0.0;
  for (std::size_t t = 0; t < 2; ++t) {
    const IntraSlice &x = fixture.slices[t], &y = fixture.slices[t + 1];
    const std::vector<double> a = x.places.normalised_weights(), b = y.places.normalised_weights();
    Matrix coupling(x.num_rows(), y.num_rows());
    for (std::int64_t i = 0; i < coupling.rows; ++i)
      for (std::int64_t j = 0; j < coupling.columns; ++j) coupling(i, j) = a[static_cast<std::size_t>(i)] * b[static_cast<std::size_t>(j)];
    gromov += 0.5 * testing_support::dense_gromov(x.places, y.places, coupling);
    transport += 0.5 * testing_support::dense_transport(x.features, y.features, coupling);
  }
  for (const ChainEdge& edge : fixture.chain.edges) {
    EXPECT_NEAR(edge.gromov, alpha / gromov, 1e-10 * edge.gromov);
    EXPECT_NEAR(edge.weight, (1.0 - alpha) / transport, 1e-10 * edge.weight);
  }
  for (const ChainEdge& edge : Fixture(small_slices(false), alpha, {3}).chain.edges) {
    EXPECT_EQ(edge.gromov, 1.0);
    EXPECT_EQ(edge.weight, 0.0);
  }
}

/// The objective along T + h (T' - T), both with the same masses.
TEST(GromovChain, CostOfACouplingIsTheDerivativeOfTheObjective) {
  for (const bool has_features : {false, true}) {
    SCOPED_TRACE(has_features);
    const Fixture fixture(small_slices(has_features), 0.4, {4, 3, 4});
    const ChainState state = fixture.swept(1e-2, 3);
    const std::vector<double>&g = state.slices[0].actual, &g_next = state.slices[1].actual;
    const Matrix cost = coupling_cost(fixture.chain, state, 0);
    Matrix direction = state.couplings[0];
    double slope = 0.0;
    for (std::int64_t k = 0; k < direction.rows; ++k)
      for (std::int64_t l = 0; l < direction.columns; ++l) {
        direction(k, l) = g[static_cast<std::size_t>(k)] * g_next[static_cast<std::size_t>(l)] - direction(k, l);
        slope += cost(k, l) * direction(k, l);
      }
    const auto value_at = [&](double step) {
      ChainState moved = state;
      for (std::size_t i = 0; i < direction.values.size(); ++i) moved.couplings[0].values[i] += step * direction.values[i];
      return transition_cost(fixture.chain, moved, 0);
    };
    EXPECT_NEAR((value_at(1e-4) - value_at(-1e-4)) / 2e-4, slope, 1e-7 * std::abs(slope));
    EXPECT_LE(value_at(1.0), value_at(0.0) + slope + 1e-12) << "GW is concave";
  }
}

TEST(GromovChain, SweepsNeverRaiseTheRegularisedObjective) {
  for (const bool has_features : {false, true})
    for (const double level : {3e-2, 3e-3, 1e-3}) {
      SCOPED_TRACE(level);
      const Fixture fixture(two_slices(160, 120, has_features), 0.5, {6, 5});
      ChainState state = fixture.start();
      ASSERT_TRUE(sweep(fixture.chain, fixture.options(level), state));
      for (int count = 0; count < 15; ++count) {
        const double before = state.regularized;
        ASSERT_TRUE(sweep(fixture.chain, fixture.options(level), state));
        EXPECT_LE(state.regularized, before + 1e-9 * std::abs(before)) << count;
      }
    }
}

TEST(GromovChain, SolvesNeverRaiseTheRegularisedObjectiveOfALevel) {
  for (const Precision precision : {Precision::float32, Precision::float64})
    for (const bool has_features : {false, true}) {
      SCOPED_TRACE(has_features);
      const Alone alone;
      const std::vector<IntraSlice> slices = two_slices(200, 150, has_features);
      const HmOtSolution solution = solve_hm_ot(alone.context(precision), testing_support::intra_problem(*alone.comm, slices, 0.5, {8, 6}), {});
      EXPECT_TRUE(solution.stop_reason == StopReason::converged || solution.stop_reason == StopReason::stagnated) << name_of(solution.stop_reason);
      EXPECT_LE(solution.state.objective, solution.baseline);
      EXPECT_LE(solution.column_error, precision == Precision::float32 ? 1e-6 : 1e-10);
      EXPECT_LE(solution.coupling_gap, 1e-9);
      const double rounding = precision == Precision::float32 ? 1e-6 : 1e-9;
      for (std::size_t k = 1; k < solution.history.size(); ++k) {
        const DescentRecord &before = solution.history[k - 1], &now = solution.history[k];
        if (before.stage != now.stage || before.level != now.level) continue;
        EXPECT_LE(now.regularized, before.regularized + rounding * std::abs(before.regularized)) << k;
      }
    }
}

/// A cloud, and the same turned, moved and in another order.
struct TurnedCloud {
  Cloud x, y;
  std::vector<std::int64_t> place;  // of row i of x in y

  explicit TurnedCloud(std::int64_t n) : x(curved_cloud(n, 3, 231)), y{n, 3, std::vector<float>(static_cast<std::size_t>(3 * n))}, place(static_cast<std::size_t>(n)) {
    std::iota(place.begin(), place.end(), std::int64_t{0});
    const RandomStream random{92, 0};
    for (std::size_t i = place.size(); i > 1; --i) std::swap(place[i - 1], place[static_cast<std::size_t>(random.uniform(i) * static_cast<double>(i))]);
    const double angle = 2.0, c = std::cos(angle), s = std::sin(angle);
    for (std::int64_t i = 0; i < n; ++i) {
      const double u[] = {c * x(i, 0) - s * x(i, 2), x(i, 1), s * x(i, 0) + c * x(i, 2)};
      const double v[] = {u[0], c * u[1] - s * u[2] - 20.0, s * u[1] + c * u[2]};
      for (std::int64_t j = 0; j < 3; ++j) y.features[static_cast<std::size_t>(3 * place[static_cast<std::size_t>(i)] + j)] = static_cast<float>(v[j]);
    }
  }
  std::vector<IntraSlice> slices() const { return {{no_features(x), x}, {no_features(y), y}}; }
};

/// GW of the coupling that takes the k-means types of x to the same types of y.
double gromov_of_true_types(const TurnedCloud& data, std::int64_t num_types) {
  const Alone alone;
  Matrix rows(data.x.num_rows, 3);
  for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] = static_cast<double>(data.x.features[i]);
  const std::vector<std::int32_t> labels = cluster_rows(rows, {}, num_types, squared_distance_form, {93, 0}, 10).labels;
  std::vector<std::int32_t> moved(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) moved[static_cast<std::size_t>(data.place[i])] = labels[i];
  const std::vector<IntraSlice> slices = data.slices();
  HmOtProblem problem = testing_support::intra_problem(*alone.comm, slices, 1.0, {num_types});
  problem.slices[0].labels = labels;
  problem.slices[1].labels = moved;
  problem.transitions[0].is_diagonal = true;
  const HmOtSolution solution = solve_hm_ot(alone.context(), problem, {});
  return transition_parts(solution.chain, solution.state, 0).gromov;
}

TEST(GromovChain, FindsARotationAndAPermutation) {
  const TurnedCloud data(120);
  const double truth = gromov_of_true_types(data, 12);
  const std::vector<IntraSlice> slices = data.slices();
  const Alone alone;
  for (const bool is_diagonal : {false, true})
    for (const std::uint64_t seed : {0u, 1u, 2u}) {
      HmOtProblem problem = testing_support::intra_problem(*alone.comm, slices, 1.0, {12});
      problem.transitions[0].is_diagonal = is_diagonal;
      const HmOtSolution solution = solve_hm_ot(alone.context(Precision::float64, seed), problem, {});
      EXPECT_GT(truth, 0.0);
      EXPECT_LE(solution.state.objective, truth) << seed;
      EXPECT_LE(solution.column_error, 1e-9);
    }
}

std::vector<std::vector<std::int32_t>> labels_of(const HmOtSolution& solution) {
  std::vector<std::vector<std::int32_t>> labels;
  for (std::size_t t = 0; t < solution.chain.num_slices(); ++t) {
    const std::int64_t n = solution.chain.slices[t].num_rows;
    const std::vector<double> q = slice_memberships(solution, t, 0, (n + block_rows - 1) / block_rows);
    const std::size_t r = q.size() / static_cast<std::size_t>(n);
    std::vector<std::int32_t>& own = labels.emplace_back();
    for (auto row = q.begin(); row != q.end(); row += static_cast<std::ptrdiff_t>(r))
      own.push_back(static_cast<std::int32_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(r)) - row));
  }
  return labels;
}

TEST(GromovChain, TakesNoNoticeOfUnits) {
  const Alone alone;
  for (const bool has_features : {false, true}) {
    SCOPED_TRACE(has_features);
    std::vector<IntraSlice> slices = two_slices(150, 130, has_features);
    const HmOtSolution plain = solve_hm_ot(alone.context(Precision::float32), testing_support::intra_problem(*alone.comm, slices, 0.5, {6, 5}), {});
    for (const float unit : {0x1p-13f, 0x1p13f}) {
      std::vector<IntraSlice> scaled = slices;
      for (IntraSlice& slice : scaled) {
        for (float& value : slice.places.features) value *= unit;
        for (float& value : slice.features.features) value *= unit;
      }
      const HmOtSolution other = solve_hm_ot(alone.context(Precision::float32), testing_support::intra_problem(*alone.comm, scaled, 0.5, {6, 5}), {});
      EXPECT_EQ(labels_of(other), labels_of(plain));
      EXPECT_EQ(other.history.size(), plain.history.size());
      EXPECT_EQ(other.passes, plain.passes);
    }
  }
}

/// A quarter turn, which has no rounding, from the same start.
TEST(GromovChain, OfFusedSlicesDoesNotSeeHowOneOfThemIsTurned) {
  std::vector<IntraSlice> slices = two_slices(300, 260, true);
  std::vector<IntraSlice> turned = slices;
  Cloud& places = turned[1].places;
  for (std::int64_t i = 0; i < places.num_rows; ++i) {
    places.features[static_cast<std::size_t>(2 * i)] = static_cast<float>(-slices[1].places(i, 1));
    places.features[static_cast<std::size_t>(2 * i + 1)] = static_cast<float>(slices[1].places(i, 0));
  }
  const ChainState a = Fixture(slices, 0.5, {6}).swept(3e-3, 60), b = Fixture(turned, 0.5, {6}).swept(3e-3, 60);
  EXPECT_NEAR(b.objective, a.objective, 1e-6 * a.objective);
}

TEST(GromovChain, OfOneTypeIsTheIndependentCoupling) {
  const Alone alone;
  const std::vector<IntraSlice> slices = two_slices(60, 50, false);
  const HmOtSolution solution = solve_hm_ot(alone.context(), testing_support::intra_problem(*alone.comm, slices, 1.0, {1}), {});
  const double product = product_parts(solution.chain.slices[0], solution.chain.slices[1], 0.0).gromov;
  EXPECT_NEAR(solution.state.objective, product, 1e-10 * product);
}

TEST(GromovChain, OfPlacesThatAreAllOneIsZero) {
  const Alone alone;
  Cloud places{30, 2, std::vector<float>(60, 3.0f)};
  const std::vector<IntraSlice> slices{{no_features(places), places}, {no_features(places), places}};
  const HmOtSolution solution = solve_hm_ot(alone.context(), testing_support::intra_problem(*alone.comm, slices, 1.0, {2}), {});
  EXPECT_NEAR(solution.state.objective, 0.0, 1e-12);
}

TEST(GromovChain, StoresNothingOfTheSizeOfTheMemberships) {
  const Alone alone;
  const std::vector<IntraSlice> slices = two_slices(300, 260, true);
  const HmOtSolution solution = solve_hm_ot(alone.context(), testing_support::intra_problem(*alone.comm, slices, 0.5, {6, 5}), {});
  for (const SliceState& slice : solution.state.slices) {
    EXPECT_EQ(slice.logits.rows, 5 + 3 + 1);
    EXPECT_EQ(slice.means.values.size(), slice.logits.values.size());
  }
}

}  // namespace
}  // namespace thalweg
