#include "analysis/metrics.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "distributed/error.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

struct GoldenTable {
  std::string name;
  double ami, ari;
  Matrix table;
};

std::vector<GoldenTable> golden_tables() {
  std::ifstream file(test_data() + "/metrics.txt");
  std::vector<GoldenTable> tables;
  std::string keyword, name;
  std::int64_t rows, columns;
  double ami, ari;
  while (file >> keyword >> name >> rows >> columns >> ami >> ari) {
    GoldenTable& golden = tables.emplace_back(GoldenTable{name, ami, ari, Matrix(rows, columns)});
    for (double& count : golden.table.values) file >> count;
  }
  return tables;
}

Matrix table_of(std::int64_t rows, std::int64_t columns, std::vector<double> values) {
  Matrix table(rows, columns);
  table.values = std::move(values);
  return table;
}

TEST(Metrics, EqualScikitLearn) {
  const auto tables = golden_tables();
  ASSERT_EQ(tables.size(), 12u);
  for (const auto& golden : tables) {
    SCOPED_TRACE(golden.name);
    EXPECT_NEAR(adjusted_mutual_information(golden.table), golden.ami, 1e-10);
    EXPECT_NEAR(adjusted_rand_index(golden.table), golden.ari, 1e-12);
  }
}

TEST(Metrics, AreSymmetric) {
  const Matrix table = table_of(2, 3, {7, 1, 3, 0, 9, 4}), other = table_of(3, 2, {7, 0, 1, 9, 3, 4});
  EXPECT_NEAR(adjusted_mutual_information(table), adjusted_mutual_information(other), 1e-14);
  EXPECT_NEAR(adjusted_rand_index(table), adjusted_rand_index(other), 1e-15);
}

TEST(Metrics, IndependentLabelsOfManyCellsScoreZero) {
  const Matrix table(4, 5, 1e7);
  EXPECT_NEAR(adjusted_mutual_information(table), 0.0, 1e-6);
  EXPECT_NEAR(adjusted_rand_index(table), 0.0, 1e-6);
}

TEST(Metrics, WeightsInsteadOfCountsAreRefused) {
  EXPECT_THROW(adjusted_mutual_information(Matrix(2, 2, 0.25)), DataError);
  EXPECT_THROW(adjusted_rand_index(Matrix(2, 2, -1.0)), DataError);
}

TEST(ContingencyTable, CountsLabelledCells) {
  const std::vector<std::int32_t> first{0, 1, 1, -1, 0}, second{2, 0, 0, 1, -1};
  EXPECT_EQ(contingency_table(first, second, 2, 3), table_of(2, 3, {0, 0, 1, 2, 0, 0}));
}

TEST(NormalisedPointwiseInformation, IndependenceGivesZero) {
  Matrix coupling(2, 3);
  const std::vector<double> a{0.3, 0.7}, b{0.2, 0.5, 0.3};
  for (std::int64_t k = 0; k < 2; ++k) {
    for (std::int64_t l = 0; l < 3; ++l)
      coupling(k, l) = a[static_cast<std::size_t>(k)] * b[static_cast<std::size_t>(l)];
  }
  for (const double value : normalised_pointwise_information(coupling).values) EXPECT_NEAR(value, 0.0, 1e-14);
}

TEST(NormalisedPointwiseInformation, DiagonalGivesOneAndAbsentEdgesMinusOne) {
  const auto information = normalised_pointwise_information(table_of(2, 2, {0.25, 0.0, 1e-13, 0.75}));
  EXPECT_NEAR(information(0, 0), 1.0, 1e-12);
  EXPECT_NEAR(information(1, 1), 1.0, 1e-12);
  EXPECT_EQ(information(0, 1), -1.0);
  EXPECT_EQ(information(1, 0), -1.0);
}

TEST(NormalisedPointwiseInformation, DoesNotDependOnTheTotalMass) {
  const auto information = normalised_pointwise_information(table_of(2, 2, {1, 2, 3, 4}));
  EXPECT_NEAR(information(0, 1), std::log(0.2 / (0.3 * 0.6)) / -std::log(0.2), 1e-15);
  EXPECT_EQ(normalised_pointwise_information(table_of(1, 1, {5.0}))(0, 0), 1.0);
}

TEST(NormalisedPointwiseInformation, CouplingWithoutMassHasNoEdges) {
  EXPECT_EQ(normalised_pointwise_information(Matrix(1, 2)), Matrix(1, 2, -1.0));
}

}  // namespace
}  // namespace thalweg
