#include "solvers/hm_ot/path_step.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "chains.hpp"

namespace thalweg {
namespace {

using testing_support::SmallChain;

/// Slices of 2, 3, 2 and 3 types with random couplings of consistent masses and random scores.
struct LawCase {
  const std::vector<std::int64_t> num_types{2, 3, 2, 3};
  Chain chain;
  std::vector<Matrix> couplings;
  PathScores scores;

  LawCase() {
    const RandomStream random{90, 0};
    std::uint64_t draw = 0;
    chain.slices.resize(4);
    chain.edges.resize(3);
    for (std::size_t t = 0; t < 4; ++t) {
      chain.slices[t].num_types = num_types[t];
      scores.nodes.emplace_back();
      for (std::int64_t k = 0; k < num_types[t]; ++k) scores.nodes[t].push_back(random.normal(draw++));
    }
    std::vector<double> masses{0.3, 0.7};
    for (std::size_t t = 0; t < 3; ++t) {
      Matrix coupling(num_types[t], num_types[t + 1]), score = coupling;
      for (double& value : score.values) value = random.normal(draw++);
      for (double& value : coupling.values) value = 0.05 + random.uniform(draw++);
      const std::vector<double> sums = testing_support::row_sums(coupling);
      for (std::int64_t k = 0; k < coupling.rows; ++k)
        for (double& value : coupling.row(k)) value *= masses[static_cast<std::size_t>(k)] / sums[static_cast<std::size_t>(k)];
      masses = testing_support::row_sums(testing_support::transposed(coupling));
      couplings.push_back(coupling);
      scores.edges.push_back(score);
    }
  }

  using Path = std::array<std::int64_t, 4>;
  void for_each_path(const std::function<void(const Path&)>& visit) const {
    for (std::int64_t a = 0; a < 2; ++a)
      for (std::int64_t b = 0; b < 3; ++b)
        for (std::int64_t c = 0; c < 2; ++c)
          for (std::int64_t d = 0; d < 3; ++d) visit({a, b, c, d});
  }
  static std::size_t number(const Path& z) { return static_cast<std::size_t>(((z[0] * 3 + z[1]) * 2 + z[2]) * 3 + z[3]); }

  /// The tilted law of every path, by its definition.
  std::vector<double> path_masses(double eta) const {
    std::vector<double> result(36, 0.0);
    for_each_path([&](const Path& z) {
      double mass = 1.0, score = 0.0;
      for (std::size_t t = 0; t < 4; ++t) score += scores.nodes[t][static_cast<std::size_t>(z[t])];
      for (std::size_t t = 0; t < 3; ++t) {
        mass *= couplings[t](z[t], z[t + 1]);
        score += scores.edges[t](z[t], z[t + 1]);
        if (t > 0 && mass > 0.0) mass /= testing_support::row_sums(couplings[t])[static_cast<std::size_t>(z[t])];
      }
      result[number(z)] = mass * std::exp(-eta * score);
    });
    const double sum = testing_support::sum_of(result);
    for (double& value : result) value /= sum;
    return result;
  }
  PathLaw marginals(const std::vector<double>& path_mass) const {
    PathLaw law;
    for (const std::int64_t r : num_types) law.masses.emplace_back(static_cast<std::size_t>(r), 0.0);
    for (const Matrix& coupling : couplings) law.couplings.emplace_back(coupling.rows, coupling.columns);
    for_each_path([&](const Path& z) {
      for (std::size_t t = 0; t < 4; ++t) law.masses[t][static_cast<std::size_t>(z[t])] += path_mass[number(z)];
      for (std::size_t t = 0; t < 3; ++t) law.couplings[t](z[t], z[t + 1]) += path_mass[number(z)];
    });
    return law;
  }
};

void expect_equal(const PathLaw& law, const PathLaw& expected, double tolerance) {
  for (std::size_t t = 0; t < law.masses.size(); ++t) EXPECT_LE(testing_support::largest_difference(law.masses[t], expected.masses[t]), tolerance);
  for (std::size_t t = 0; t < law.couplings.size(); ++t)
    EXPECT_LE(testing_support::largest_difference(law.couplings[t].values, expected.couplings[t].values), tolerance);
}

TEST(TiltedLaw, EqualsTheSumOverAllPaths) {
  const LawCase c;
  for (const double eta : {0.0, 0.5, 3.0}) expect_equal(tilted_law(c.chain, c.couplings, c.scores, eta), c.marginals(c.path_masses(eta)), 1e-14);
}

TEST(TiltedLaw, WithoutTiltIsTheLawItself) {
  const LawCase c;
  const PathLaw law = tilted_law(c.chain, c.couplings, c.scores, 0.0);
  for (std::size_t t = 0; t < 3; ++t) EXPECT_LE(testing_support::largest_difference(law.couplings[t].values, c.couplings[t].values), 1e-14);
}

TEST(TiltedLaw, IsConsistentAndKeepsZerosUnderAHugeTilt) {
  LawCase c;
  c.couplings[1](1, 0) = 0.0;
  constexpr double tolerance = 1e-11;  // exponents of 1e4 have a rounding of 1e-12
  const PathLaw law = tilted_law(c.chain, c.couplings, c.scores, 2000.0);
  EXPECT_EQ(law.couplings[1](1, 0), 0.0);
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(law.couplings[t]), law.masses[t]), tolerance);
    EXPECT_LE(testing_support::largest_difference(testing_support::row_sums(testing_support::transposed(law.couplings[t])), law.masses[t + 1]), tolerance);
    EXPECT_NEAR(testing_support::sum_of(law.masses[t]), 1.0, tolerance);
  }
}

TEST(TiltedLaw, MeetsGivenMassesByFittingThePathsOfTheTilt) {
  LawCase c;
  c.chain.slices[1].fixed_mass = {0.2, 0.5, 0.3};
  c.chain.slices[3].fixed_mass = {0.6, 0.1, 0.3};
  std::vector<double> path_mass = c.path_masses(0.7);
  for (int round = 0; round < 1000; ++round)
    for (const std::size_t t : {std::size_t{1}, std::size_t{3}}) {
      const std::vector<double> now = c.marginals(path_mass).masses[t];
      c.for_each_path([&](const LawCase::Path& z) {
        const auto k = static_cast<std::size_t>(z[t]);
        path_mass[LawCase::number(z)] *= (*c.chain.slices[t].fixed_mass)[k] / now[k];
      });
    }
  const PathLaw law = tilted_law(c.chain, c.couplings, c.scores, 0.7);
  expect_equal(law, c.marginals(path_mass), 1e-11);
  EXPECT_LE(testing_support::largest_difference(law.masses[1], *c.chain.slices[1].fixed_mass), 2e-12);
}

TEST(SetLaw, RejectsTypesBelowTheirMinimumAndKeepsGivenMasses) {
  LawCase c;
  PathLaw law = tilted_law(c.chain, c.couplings, c.scores, 0.5);
  ChainState state;
  state.slices.resize(4);
  state.couplings.resize(3);
  const auto before = [&](std::size_t t) { return std::vector<double>(law.masses[t].size(), 3.0); };  // no law has these
  for (std::size_t t = 0; t < 4; ++t) state.slices[t].masses = before(t);
  c.chain.slices[2].min_mass = 2.0;
  EXPECT_FALSE(set_law(c.chain, law, state));
  EXPECT_EQ(state.slices[0].masses, before(0));
  c.chain.slices[2].fixed_mass = {0.5, 0.5};  // a given mass has no minimum
  ASSERT_TRUE(set_law(c.chain, law, state));
  EXPECT_EQ(state.slices[0].masses, law.masses[0]);
  EXPECT_EQ(state.slices[2].masses, before(2));
  EXPECT_EQ(state.couplings[1], law.couplings[1]);
}

TEST(SetLaw, LetsATypeThatBeganBelowTheMinimumStayAsItIs) {
  LawCase c;
  const PathLaw law = tilted_law(c.chain, c.couplings, c.scores, 0.5);
  ChainState state;
  state.slices.resize(4);
  state.couplings.resize(3);
  for (std::size_t t = 0; t < 4; ++t) state.slices[t].masses = law.masses[t];
  c.chain.slices[0].min_mass = 2.0;
  EXPECT_TRUE(set_law(c.chain, law, state));
  state.slices[0].masses[0] = law.masses[0][0] * 1.01;  // it would shrink further
  EXPECT_FALSE(set_law(c.chain, law, state));
}

std::vector<testing_support::Cloud> three_clouds() {
  return {testing_support::gaussian_cloud(80, 3, 3, 4.0, 0.0, 31), testing_support::gaussian_cloud(70, 3, 4, 4.0, 0.7, 32),
          testing_support::gaussian_cloud(60, 3, 3, 4.0, 1.4, 33)};
}

/// F_eps minimised over the memberships alone, masses and couplings of `state` moved by `size` along `to`.
double minimal_value(SmallChain& small, ChainState state, const PathLaw& to, double size, double level) {
  for (std::size_t t = 0; t < state.slices.size(); ++t)
    for (std::size_t k = 0; k < state.slices[t].masses.size(); ++k) state.slices[t].masses[k] += size * (to.masses[t][k] - state.slices[t].masses[k]);
  for (std::size_t t = 0; t < state.couplings.size(); ++t) {
    Matrix& coupling = state.couplings[t];
    for (std::size_t i = 0; i < coupling.values.size(); ++i) coupling.values[i] += size * (to.couplings[t].values[i] - coupling.values[i]);
    small.chain.edges[t].coupling = coupling;
  }
  for (int count = 0; count < 200; ++count) EXPECT_TRUE(sweep(small.chain, small.options(level), state));
  for (ChainEdge& edge : small.chain.edges) edge.coupling.reset();
  return state.regularized;
}

TEST(PathScores, AreTheDerivativesOfTheMinimalValue) {
  constexpr double level = 3e-2, size = 1e-5;
  SmallChain small(three_clouds(), {3, 4, 3});
  const ChainState state = small.descended(level);
  const PathScores scores = path_scores(small.chain, state, level * small.chain.variance);
  for (const std::uint32_t direction : {1u, 2u, 3u}) {
    PathScores random_scores = scores;
    const RandomStream random{91, direction};
    std::uint64_t draw = 0;
    for (auto& node : random_scores.nodes)
      for (double& value : node) value = random.normal(draw++);
    for (Matrix& edge : random_scores.edges)
      for (double& value : edge.values) value = random.normal(draw++);
    const PathLaw to = tilted_law(small.chain, state.couplings, random_scores, 0.5);
    double expected = 0.0;
    for (std::size_t t = 0; t < 3; ++t)
      for (std::size_t k = 0; k < scores.nodes[t].size(); ++k) expected += scores.nodes[t][k] * (to.masses[t][k] - state.slices[t].masses[k]);
    for (std::size_t t = 0; t < 2; ++t)
      for (std::size_t i = 0; i < scores.edges[t].values.size(); ++i)
        expected += scores.edges[t].values[i] * (to.couplings[t].values[i] - state.couplings[t].values[i]);
    const double slope = (minimal_value(small, state, to, size, level) - minimal_value(small, state, to, -size, level)) / (2.0 * size);
    EXPECT_GT(std::abs(expected), 1e-3);
    EXPECT_NEAR(slope, expected, 1e-4 * std::abs(expected) + 1e-6);
  }
}

TEST(PathScores, AreZeroWhereMassesOrCouplingsAreGiven) {
  const std::vector<double> uniform{0.25, 0.25, 0.25, 0.25};
  SmallChain small(three_clouds(), {3, 4, 3}, [&](HmOtProblem& problem) { problem.slices[1].masses = uniform; });
  ChainState state = small.descended(3e-2, 20);
  small.chain.edges[0].coupling = state.couplings[0];
  const PathScores scores = path_scores(small.chain, state, 0.1);
  for (const double value : scores.nodes[1]) EXPECT_EQ(value, 0.0);
  for (const double value : scores.edges[0].values) EXPECT_EQ(value, 0.0);
  EXPECT_GT(scores.range(), 0.0);
}

TEST(HasFreeMasses, IsFalseOnceAllAreGiven) {
  LawCase c;
  EXPECT_TRUE(has_free_masses(c.chain));
  for (ChainSlice& slice : c.chain.slices) slice.fixed_mass.emplace();
  EXPECT_FALSE(has_free_masses(c.chain));
}

}  // namespace
}  // namespace thalweg
