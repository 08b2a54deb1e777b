// Soft memberships that are given: one-hot ones are labels, others enter as they are.
#include "solvers/hm_ot/fixed_memberships.hpp"

#include <gtest/gtest.h>

#include "clouds.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;
using Labels = std::vector<std::int32_t>;

/// Three weighted slices; at slice t memberships or labels may be given.
struct Fixture {
  Alone alone;
  std::vector<Cloud> clouds;
  HmOtProblem problem;

  explicit Fixture(std::vector<std::int64_t> num_types) {
    const std::int64_t sizes[] = {180, 300, 220};
    for (std::uint32_t t = 0; t < 3; ++t) {
      clouds.push_back(testing_support::gaussian_cloud(sizes[t], 4, 4, 5.0, 0.6 * t, 171 + t));
      clouds.back().weights = testing_support::uneven_weights(sizes[t]);
    }
    problem = testing_support::chain_problem(*alone.comm, clouds, std::move(num_types));
  }
  HmOtSolution solve(const HmOtSettings& settings = {}) const { return solve_hm_ot(alone.context(), problem, settings); }
  std::string refusal() const {
    try {
      solve();
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  std::vector<double> rows_of(const HmOtSolution& solution, std::size_t t) const {
    return slice_memberships(solution, t, 0, (clouds[t].num_rows + block_rows - 1) / block_rows);
  }
};

Labels labels_of(std::int64_t n, std::int64_t r) {
  Labels labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(static_cast<std::int32_t>(i / 3 % r));
  return labels;
}

std::vector<float> one_hot(const Labels& labels, std::size_t r, float value = 1.0f) {
  std::vector<float> shares(labels.size() * r, 0.0f);
  for (std::size_t i = 0; i < labels.size(); ++i) shares[i * r + static_cast<std::size_t>(labels[i])] = value;
  return shares;
}

/// Positive shares of no particular sum, some exactly 0.
std::vector<float> soft(std::int64_t n, std::int64_t r, std::uint32_t stream) {
  const RandomStream random{91, stream};
  std::vector<float> shares;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < r; ++k) {
      const double share = random.uniform(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(k));
      shares.push_back(share < 0.3 && k != i % r ? 0.0f : static_cast<float>(3.0 * share + 0.1));
    }
  return shares;
}

/// sum_ij P_ij |x_i - y_j|^2 with P = Q diag(1/g) T diag(1/g') Q'^T formed whole.
double dense_cost(const Cloud& x, const Cloud& y, const std::vector<double>& q, const std::vector<double>& q2, const Matrix& coupling) {
  const std::vector<double> a = x.normalised_weights(), b = y.normalised_weights();
  const auto r = static_cast<std::size_t>(coupling.rows), r2 = static_cast<std::size_t>(coupling.columns);
  std::vector<double> g(r, 0.0), g2(r2, 0.0);
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < r; ++k) g[k] += a[i] * q[i * r + k];
  for (std::size_t j = 0; j < b.size(); ++j)
    for (std::size_t l = 0; l < r2; ++l) g2[l] += b[j] * q2[j * r2 + l];
  double cost = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j) {
      double mass = 0.0, square = 0.0;
      for (std::size_t k = 0; k < r; ++k)
        for (std::size_t l = 0; l < r2; ++l)
          if (g[k] > 0.0 && g2[l] > 0.0) mass += q[i * r + k] / g[k] * coupling(static_cast<std::int64_t>(k), static_cast<std::int64_t>(l)) / g2[l] * q2[j * r2 + l];
      for (std::int64_t f = 0; f < x.dimension; ++f)
        square += std::pow(x(static_cast<std::int64_t>(i), f) - y(static_cast<std::int64_t>(j), f), 2);
      cost += a[i] * b[j] * mass * square;
    }
  return cost;
}

void expect_dense_objective(const Fixture& fixture, const HmOtSolution& solution, double tolerance) {
  double dense = 0.0;
  for (std::size_t t = 0; t + 1 < fixture.clouds.size(); ++t)
    dense += dense_cost(fixture.clouds[t], fixture.clouds[t + 1], fixture.rows_of(solution, t), fixture.rows_of(solution, t + 1), solution.state.couplings[t]);
  EXPECT_NEAR(solution.state.objective, dense, tolerance * dense);
}

TEST(FixedMemberships, OneHotInAllSlicesAreTheBitsOfLabels) {
  Fixture labelled({4, 3, 5}), given({4, 3, 5});
  std::vector<Labels> labels;
  std::vector<std::vector<float>> shares;
  for (std::size_t t = 0; t < 3; ++t) {
    const std::int64_t r = labelled.problem.slices[t].num_types;
    labels.push_back(labels_of(labelled.clouds[t].num_rows, r));
    shares.push_back(one_hot(labels[t], static_cast<std::size_t>(r), static_cast<float>(t + 1)));
    labelled.problem.slices[t].labels = labels[t];
    given.problem.slices[t].memberships = shares[t];
  }
  const HmOtSolution a = labelled.solve(), b = given.solve();
  EXPECT_EQ(a.state.objective, b.state.objective);
  EXPECT_EQ(a.state.couplings, b.state.couplings);
  for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(labelled.rows_of(a, t), given.rows_of(b, t));
}

TEST(FixedMemberships, OneHotInOneSliceAreTheBitsOfLabels) {
  Fixture labelled({4, 4, 3}), given({4, 4, 3});
  const Labels labels = labels_of(300, 4);
  const std::vector<float> shares = one_hot(labels, 4);
  labelled.problem.slices[1].labels = labels;
  given.problem.slices[1].memberships = shares;
  HmOtSettings settings;
  settings.restarts = 2;
  settings.subsample = 150;
  const HmOtSolution a = labelled.solve(settings), b = given.solve(settings);
  EXPECT_EQ(b.stop_reason, StopReason::converged);
  EXPECT_EQ(a.state.objective, b.state.objective);
  EXPECT_EQ(a.state.couplings, b.state.couplings);
  for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(labelled.rows_of(a, t), given.rows_of(b, t));
}

TEST(FixedMemberships, SoftInAllSlicesHaveTheCostOfTheDenseCoupling) {
  Fixture fixture({4, 3, 5});
  std::vector<std::vector<float>> shares;
  for (std::uint32_t t = 0; t < 3; ++t) shares.push_back(soft(fixture.clouds[t].num_rows, fixture.problem.slices[t].num_types, t));
  for (std::size_t t = 0; t < 3; ++t) fixture.problem.slices[t].memberships = shares[t];
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.passes, 0);
  EXPECT_LE(solution.coupling_gap, 1e-12);
  expect_dense_objective(fixture, solution, 1e-12);
}

TEST(FixedMemberships, SoftInOneSliceStayAsGivenWhileOthersAreLearned) {
  Fixture fixture({4, 3, 5});
  const std::vector<float> shares = soft(300, 3, 7);
  fixture.problem.slices[1].memberships = shares;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_LE(solution.column_error, 1e-10);
  const std::vector<double> rows = fixture.rows_of(solution, 1);
  for (std::size_t i = 0; i < 300; ++i) {
    const double sum = static_cast<double>(shares[3 * i]) + static_cast<double>(shares[3 * i + 1]) + static_cast<double>(shares[3 * i + 2]);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(rows[3 * i + k], static_cast<double>(shares[3 * i + k]) / sum, 1e-15);
  }
  expect_dense_objective(fixture, solution, 1e-9);
}

TEST(FixedMemberships, CountOnlyInProportionWithinARow) {
  Fixture fixture({4, 3, 5}), scaled({4, 3, 5});
  const std::vector<float> shares = soft(300, 3, 7);
  std::vector<float> larger = shares;
  for (std::size_t i = 0; i < larger.size(); ++i) larger[i] *= i / 3 % 2 == 0 ? 0x1p90f : 0x1p-90f;
  fixture.problem.slices[1].memberships = shares;
  scaled.problem.slices[1].memberships = larger;
  EXPECT_EQ(fixture.solve().state.couplings, scaled.solve().state.couplings);
}

TEST(FixedMemberships, OfOneTypeGiveItAllMass) {
  Fixture fixture({4, 1, 3});
  const std::vector<float> shares(300, 0.25f);
  fixture.problem.slices[1].memberships = shares;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.state.slices[1].masses, std::vector<double>{1.0});
}

TEST(FixedMemberships, WithoutMassInATypeAreRefusedOnlyBesideFreeSlices) {
  Fixture fixture({3, 3, 3});
  fixture.problem.slices[1].type_names = {"a", "b", "c"};
  std::vector<std::vector<float>> shares;
  for (std::uint32_t t = 0; t < 3; ++t) shares.push_back(soft(fixture.clouds[t].num_rows, 3, t));
  for (std::size_t i = 0; i < 300; ++i) shares[1][3 * i] = 1.0f, shares[1][3 * i + 1] = 0.0f;
  fixture.problem.slices[1].memberships = shares[1];
  EXPECT_NE(fixture.refusal().find("type 'b' of time 1 has no mass"), std::string::npos) << fixture.refusal();
  for (std::size_t t = 0; t < 3; ++t) fixture.problem.slices[t].memberships = shares[t];
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.state.slices[1].masses[1], 0.0);
  expect_dense_objective(fixture, solution, 1e-12);
}

TEST(FixedMemberships, BesideTheirOwnMassesAndCouplingsAreAccepted) {
  Fixture fixture({3, 3, 3});
  const std::vector<float> shares = soft(300, 3, 7);
  fixture.problem.slices[1].memberships = shares;
  const HmOtSolution free = fixture.solve();
  fixture.problem.slices[1].masses = free.state.slices[1].masses;
  fixture.problem.transitions[0].coupling = free.state.couplings[0];
  const HmOtSolution again = fixture.solve();
  EXPECT_EQ(again.stop_reason, StopReason::converged);
  EXPECT_NEAR(again.state.objective, free.state.objective, 1e-4 * free.state.objective);
}

TEST(FixedMemberships, BesideOtherMassesOrCouplingsAreRefused) {
  Fixture fixture({2, 2, 2});
  const std::vector<float> shares = one_hot(labels_of(300, 2), 2);
  fixture.problem.slices[1].memberships = shares;
  fixture.problem.slices[1].masses = std::vector<double>{0.9, 0.1};
  EXPECT_NE(fixture.refusal().find("masses of time 1 are not those of its given memberships"), std::string::npos);
  fixture.problem.slices[1].masses.reset();
  fixture.problem.transitions[0].coupling = Matrix(2, 2);
  fixture.problem.transitions[0].coupling->values = {0.8, 0.0, 0.0, 0.2};
  EXPECT_NE(fixture.refusal().find("given coupling 0:1 has other type masses at 1"), std::string::npos);
}

TEST(FixedMemberships, MeetAMaskAndAGivenCoupling) {
  Fixture fixture({3, 3, 3});
  const std::vector<float> shares = soft(300, 3, 7);
  fixture.problem.slices[1].memberships = shares;
  Matrix allowed(3, 3, 1.0);
  allowed(0, 1) = allowed(2, 0) = 0.0;
  fixture.problem.transitions[0].allowed = allowed;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_EQ(solution.state.couplings[0](0, 1), 0.0);
  EXPECT_EQ(solution.state.couplings[0](2, 0), 0.0);
  expect_dense_objective(fixture, solution, 1e-9);
}

TEST(FixedMemberships, OfADiagonalTransitionGiveTheirMassesToTheNextSlice) {
  Fixture fixture({3, 3, 3});
  const std::vector<float> shares = soft(180, 3, 7);
  fixture.problem.slices[0].memberships = shares;
  for (HmOtTransition& transition : fixture.problem.transitions) transition.is_diagonal = true;
  const HmOtSolution solution = fixture.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  for (const std::size_t t : {1, 2}) EXPECT_LE(testing_support::largest_difference(solution.state.slices[t].masses, solution.state.slices[0].masses), 1e-9);
}

TEST(StrongestTypes, AreTheFirstOfTheLargestShares) {
  EXPECT_EQ(strongest_types(std::vector<float>{0.2f, 0.5f, 0.5f, 3.0f, 0.0f, 1.0f}, 3), (Labels{1, 0}));
  EXPECT_TRUE(strongest_types({}, 4).empty());
}

}  // namespace
}  // namespace thalweg
