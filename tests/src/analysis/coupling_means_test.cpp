#include "analysis/coupling_means.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "reference/dense_geometry.hpp"
#include "tests/support/marginals.hpp"

namespace thalweg {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

/// Three blocks of rows; the last source has nearly no partners.
struct CouplingMeans : testing::Test {
  static constexpr std::int64_t n = 600, m = 4, last = n - 1;
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::unique_ptr<PairGeometry> geometry;
  std::vector<double> all_f, f, g, dense, a, b;
  testing_support::Marginals marginals;
  Coupling coupling;

  void SetUp() override {
    std::vector<double> costs;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) costs.push_back(std::abs(std::sin(1.0 + i + 2.3 * j)));
    geometry = reference::make_dense_geometry(*comm, costs, m);
    geometry->set_epsilon(0.5);
    for (int i = 0; i < last; ++i) all_f.push_back(0.2 * std::cos(i) - 3.0);
    all_f.push_back(-20.0);
    g = {0.0, 0.3, -0.2, 0.1};
    const RowRange rows = geometry->rows();
    f.assign(all_f.begin() + rows.begin, all_f.begin() + rows.end);
    a.assign(n, 1.0 / n);
    b.assign(m, 0.25);
    marginals = testing_support::marginals_of(*geometry, f, g);
    coupling = {geometry.get(), f, g, marginals.row_sums, marginals.column_sums, a, b};
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j)
        dense.push_back(std::exp((all_f[static_cast<std::size_t>(i)] + g[static_cast<std::size_t>(j)] - costs[static_cast<std::size_t>(i * m + j)]) / 0.5));
  }

  static std::vector<std::int32_t> source_labels() {
    std::vector<std::int32_t> labels;
    for (int i = 0; i < n; ++i) labels.push_back(i % 3 - 1);
    return labels;
  }
  double mass_of(const std::vector<std::int32_t>& labels, int label, std::int64_t j) const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < n; ++i)
      if (labels[static_cast<std::size_t>(i)] == label) sum += p(i, j);
    return sum;
  }
  double p(std::int64_t i, std::int64_t j) const { return dense[static_cast<std::size_t>(i * m + j)]; }
};

TEST_F(CouplingMeans, SumsAreProductsWithTheCoupling) {
  std::vector<float> values;
  for (int j = 0; j < n * 70; ++j) values.push_back(static_cast<float>(std::cos(j)));
  const std::vector<double> forward = sums_over_targets(coupling, values_of(values, 70));
  const std::vector<double> back = sums_over_sources(coupling, values_of(values, 70));
  const RowRange rows = geometry->rows();
  for (const std::int64_t k : {0, 63, 64, 69}) {
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      double sum = 0.0;
      for (std::int64_t j = 0; j < m; ++j) sum += p(i, j) * static_cast<double>(values[static_cast<std::size_t>(j * 70 + k)]);
      EXPECT_NEAR(forward[static_cast<std::size_t>((i - rows.begin) * 70 + k)], sum, 1e-12);
    }
    for (std::int64_t j = 0; j < m; ++j) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < n; ++i) sum += p(i, j) * static_cast<double>(values[static_cast<std::size_t>(i * 70 + k)]);
      EXPECT_NEAR(back[static_cast<std::size_t>(j * 70 + k)], sum, 1e-12);
    }
  }
}

TEST_F(CouplingMeans, CellsWithoutPartnersHaveNone) {
  const std::vector<std::uint8_t> rows = unmatched_rows(coupling);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], geometry->rows().begin + static_cast<std::int64_t>(i) == last);
  EXPECT_THAT(unmatched_columns(coupling), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(unmatched(std::vector<double>{0.0, 1e-7, 1e-5, 1.0}, std::vector<double>{0.0, 1.0, 1.0, 0.0}), ElementsAre(1, 1, 0, 0));
}

TEST_F(CouplingMeans, MeansOfOnesAreOnesAndNanWithoutPartners) {
  const std::vector<float> ones(m * 2, 1.0f);
  std::vector<double> means = sums_over_targets(coupling, values_of(ones, 2));
  divide_rows(coupling.row_sums, unmatched_rows(coupling), means);
  const RowRange rows = geometry->rows();
  for (std::int64_t i = 0; i < rows.size(); ++i)
    for (int k = 0; k < 2; ++k) {
      const double mean = means[static_cast<std::size_t>(2 * i + k)];
      if (rows.begin + i == last) EXPECT_TRUE(std::isnan(mean));
      else EXPECT_NEAR(mean, 1.0, 1e-14);
    }
}

TEST_F(CouplingMeans, LabelsAreCarriedAsShares) {
  const std::vector<std::int32_t> labels = source_labels();
  const std::vector<double> sums = sums_over_sources(coupling, one_hot(labels, 2));
  std::vector<double> shares = sums;
  divide_rows(coupling.column_sums, unmatched_columns(coupling), shares);
  for (std::int64_t j = 0; j < m; ++j)
    for (int k = 0; k < 2; ++k)
      EXPECT_NEAR(shares[static_cast<std::size_t>(2 * j + k)], mass_of(labels, k, j) / coupling.column_sums[static_cast<std::size_t>(j)], 1e-12);
}

TEST_F(CouplingMeans, TransitionsAddUpToTheMassBetweenLabelledCells) {
  const std::vector<std::int32_t> sources = source_labels(), targets = {0, 2, -1, 2};
  const std::vector<double> mass = label_transitions(sums_over_sources(coupling, one_hot(sources, 2)), 2, targets, 3);
  const auto of = [&](int label, int target) { return mass_of(sources, label, target); };
  EXPECT_THAT(mass, Pointwise(DoubleNear(1e-12), {of(0, 0), 0.0, of(0, 1) + of(0, 3), of(1, 0), 0.0, of(1, 1) + of(1, 3)}));
}

TEST(MostProbableLabels, TakesTheFirstOfEqualOnesAndNoneOfNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const CarriedLabels labels = most_probable_labels(std::vector<double>{0.2, 0.4, 0.4, 0, 0, 0, nan, nan, nan}, 3);
  EXPECT_THAT(labels.labels, ElementsAre(1, -1, -1));
  EXPECT_EQ(labels.confidence[0], 0.4);
  EXPECT_TRUE(std::isnan(labels.confidence[1]) && std::isnan(labels.confidence[2]));
}

}  // namespace
}  // namespace thalweg
