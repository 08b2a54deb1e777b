#include "analysis/clusterings.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "kernels/random.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;

/// A chain over slices with 3, 2, 4 types and consistent margins, and the law of all its type paths.
struct Chain {
  std::vector<Matrix> couplings{Matrix(3, 2), Matrix(2, 4)};
  std::vector<double> masses;

  Chain() {
    couplings[0].values = {0.1, 0.2, 0.3, 0.0, 0.05, 0.35};
    couplings[1].values = {0.2, 0.05, 0.1, 0.1, 0.0, 0.15, 0.1, 0.3};
    masses = {0.3, 0.3, 0.4};
  }

  double path_mass(std::int64_t i, std::int64_t j, std::int64_t k) const {
    const double middle = couplings[1](j, 0) + couplings[1](j, 1) + couplings[1](j, 2) + couplings[1](j, 3);
    return couplings[0](i, j) * couplings[1](j, k) / middle;
  }

  void for_each_path(const std::function<void(std::vector<std::int64_t>, double)>& visit) const {
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 2; ++j) {
        for (std::int64_t k = 0; k < 4; ++k) visit({i, j, k}, path_mass(i, j, k));
      }
    }
  }

  /// P(type at `to` | type at `from`) by summing paths.
  Matrix conditional(std::int64_t from, std::int64_t to) const {
    const std::vector<std::int64_t> sizes{3, 2, 4};
    Matrix joint(sizes[static_cast<std::size_t>(from)], sizes[static_cast<std::size_t>(to)]);
    for_each_path([&](const std::vector<std::int64_t>& path, double mass) {
      joint(path[static_cast<std::size_t>(from)], path[static_cast<std::size_t>(to)]) += mass;
    });
    for (std::int64_t k = 0; k < joint.rows; ++k) {
      double sum = 0.0;
      for (const double value : joint.row(k)) sum += value;
      for (double& value : joint.row(k)) value /= sum;
    }
    return joint;
  }
};

Matrix random_memberships(std::int64_t rows, std::int64_t types) {
  const RandomStream random{.seed = 2, .stream = 4};
  Matrix memberships(rows, types);
  for (std::int64_t i = 0; i < rows; ++i) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < types; ++k) {
      memberships(i, k) = random.uniform(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(k));
      sum += memberships(i, k);
    }
    for (double& value : memberships.row(i)) value /= sum;
  }
  return memberships;
}

TEST(ComposedLaw, IsTheConditionalLawOfTheChainInBothDirections) {
  const Chain chain;
  const TypeLaws laws = type_laws(chain.couplings);
  for (std::int64_t from = 0; from < 3; ++from) {
    for (std::int64_t to = 0; to < 3; ++to) {
      SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
      const Matrix law = composed_law(laws, from, to), expected = chain.conditional(from, to);
      ASSERT_EQ(law.rows, expected.rows);
      EXPECT_THAT(law.values, testing::Pointwise(testing::DoubleNear(1e-15), expected.values));
    }
  }
}

TEST(ComposedCoupling, HasTheMarginsOfBothSlices) {
  const Chain chain;
  const Matrix coupling = composed_coupling(type_laws(chain.couplings), 0, 2, chain.masses);
  const std::vector<double> last{0.2, 0.2, 0.2, 0.4};
  for (std::int64_t k = 0; k < 3; ++k) {
    double sum = 0.0;
    for (const double value : coupling.row(k)) sum += value;
    EXPECT_NEAR(sum, chain.masses[static_cast<std::size_t>(k)], 1e-15);
  }
  for (std::int64_t l = 0; l < 4; ++l) {
    EXPECT_NEAR(coupling(0, l) + coupling(1, l) + coupling(2, l), last[static_cast<std::size_t>(l)], 1e-15);
  }
}

TEST(Clusterings, FatesAndAncestorsEqualTheSumOverPathsForEveryCell) {
  const Chain chain;
  const TypeLaws laws = type_laws(chain.couplings);
  const Matrix memberships = random_memberships(200, 2);
  for (const std::int64_t slice : {0, 2}) {
    const Matrix law = chain.conditional(1, slice);
    const Matrix fates = type_probabilities(memberships, composed_law(laws, 1, slice));
    const CellLabels labels = most_probable_types(fates);
    for (std::int64_t i = 0; i < 200; ++i) {
      std::vector<double> expected(static_cast<std::size_t>(law.columns));
      for (std::int64_t l = 0; l < law.columns; ++l) {
        expected[static_cast<std::size_t>(l)] = memberships(i, 0) * law(0, l) + memberships(i, 1) * law(1, l);
      }
      for (std::int64_t l = 0; l < law.columns; ++l)
        EXPECT_NEAR(fates(i, l), expected[static_cast<std::size_t>(l)], 1e-15);
      const auto best = std::max_element(expected.begin(), expected.end());
      EXPECT_NEAR(labels.confidence[static_cast<std::size_t>(i)], *best, 1e-15);
      EXPECT_NEAR(expected[static_cast<std::size_t>(labels.label[static_cast<std::size_t>(i)])], *best, 1e-15);
    }
  }
}

TEST(Clusterings, TiesGoToTheLowestType) {
  const CellLabels labels = most_probable_types(Matrix(2, 3, 1.0 / 3.0));
  EXPECT_THAT(labels.label, ElementsAre(0, 0));
}

TEST(Clusterings, SpecificTypesWeighMembershipsByTheInverseMass) {
  Matrix memberships(2, 3);
  memberships.values = {0.6, 0.4, 0.0, 0.9, 0.1, 0.0};
  const CellLabels labels = most_specific_types(memberships, std::vector{0.8, 0.2, 0.0});
  EXPECT_THAT(labels.label, ElementsAre(1, 0));
  EXPECT_NEAR(labels.confidence[0], 2.0 / 2.75, 1e-15);
}

TEST(TypeLaws, TypeWithoutMassHasZeros) {
  Matrix coupling(2, 2);
  coupling(0, 0) = 1.0;
  const TypeLaws laws = type_laws(std::vector{coupling});
  EXPECT_EQ(laws.forward[0](1, 0), 0.0);
  EXPECT_EQ(laws.ancestor[0](0, 1), 0.0);
}

TEST(HeaviestPaths, EqualTheSortedEnumeration) {
  const Chain chain;
  std::vector<TypePath> all;
  chain.for_each_path([&](const std::vector<std::int64_t>& types, double mass) {
    if (mass > 0.0) all.push_back({types, mass});
  });
  std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.mass > y.mass + 1e-12; });
  for (const std::int64_t count : {1, 5, 50}) {
    const auto paths = heaviest_paths(type_laws(chain.couplings), chain.masses, count);
    ASSERT_EQ(paths.size(), std::min(all.size(), static_cast<std::size_t>(count)));
    for (std::size_t k = 0; k < paths.size(); ++k) {
      EXPECT_NEAR(paths[k].mass, all[k].mass, 1e-15);
      EXPECT_NEAR(paths[k].mass, chain.path_mass(paths[k].types[0], paths[k].types[1], paths[k].types[2]), 1e-15);
    }
  }
}

}  // namespace
}  // namespace thalweg
