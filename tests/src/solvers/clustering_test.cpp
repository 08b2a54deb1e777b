#include "solvers/hm_ot/clustering.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "clouds.hpp"

namespace thalweg {
namespace {

Matrix points(const testing_support::Cloud& cloud) {
  Matrix rows(cloud.num_rows, cloud.dimension);
  rows.values.assign(cloud.features.begin(), cloud.features.end());
  return rows;
}

Clustering kmeans(const Matrix& rows, const std::vector<double>& weights, std::int64_t clusters, std::uint64_t seed = 0, int attempts = 10) {
  return cluster_rows(rows, weights, clusters, squared_distance_form, {seed, 0}, attempts);
}

double weight(const std::vector<double>& weights, std::int64_t i) { return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(i)]; }

double distance(const Matrix& a, std::int64_t i, const Matrix& b, std::int64_t j) {
  double sum = 0.0;
  for (std::int64_t f = 0; f < a.columns; ++f) sum += (a(i, f) - b(j, f)) * (a(i, f) - b(j, f));
  return sum;
}

/// The inertia less sum_i w_i |z_i|^2, which is what the form drops.
double shifted_inertia(const Matrix& rows, const std::vector<double>& weights, const Clustering& found) {
  double sum = 0.0;
  const Matrix zero(1, rows.columns);
  for (std::int64_t i = 0; i < rows.rows; ++i)
    sum += weight(weights, i) * (distance(rows, i, found.centroids, found.labels[static_cast<std::size_t>(i)]) - distance(rows, i, zero, 0));
  return sum;
}

TEST(Clustering, OfSeparatedCloudsFindsThem) {
  Matrix rows(60, 2);
  const RandomStream random{1, 0};
  for (std::int64_t i = 0; i < 60; ++i) {
    rows(i, 0) = 100.0 * static_cast<double>(i % 3) + random.normal(static_cast<std::uint64_t>(i));
    rows(i, 1) = random.normal(static_cast<std::uint64_t>(i), 1);
  }
  const Clustering found = kmeans(rows, {}, 3);
  for (std::size_t i = 3; i < 60; ++i) EXPECT_EQ(found.labels[i], found.labels[i - 3]);
  EXPECT_EQ(std::set(found.labels.begin(), found.labels.end()).size(), 3u);
}

TEST(Clustering, EndsAtMeansAndNearestCentroidsWithTheTrueObjective) {
  const Matrix rows = points(testing_support::gaussian_cloud(400, 3, 5, 3.0, 0.0, 21));
  std::vector<double> uneven = testing_support::uneven_weights(400);
  for (double& value : uneven) value += 0.1;
  for (const std::vector<double>& weights : {std::vector<double>{}, uneven}) {
    const Clustering found = kmeans(rows, weights, 5);
    Matrix means(5, 3);
    std::vector<double> masses(5, 0.0);
    for (std::int64_t i = 0; i < 400; ++i) {
      const std::int32_t label = found.labels[static_cast<std::size_t>(i)];
      masses[static_cast<std::size_t>(label)] += weight(weights, i);
      for (std::int64_t f = 0; f < 3; ++f) means(label, f) += weight(weights, i) * rows(i, f);
      for (std::int64_t c = 0; c < 5; ++c) EXPECT_LE(distance(rows, i, found.centroids, label), distance(rows, i, found.centroids, c) + 1e-9);
    }
    for (std::int64_t c = 0; c < 5; ++c)
      for (std::int64_t f = 0; f < 3; ++f) EXPECT_NEAR(found.centroids(c, f), means(c, f) / masses[static_cast<std::size_t>(c)], 1e-12);
    EXPECT_NEAR(found.objective, shifted_inertia(rows, weights, found), 1e-10 * std::abs(found.objective));
  }
}

TEST(Clustering, WithAWeightOfTwoEqualsTheRowTwice) {
  const testing_support::Cloud cloud = testing_support::gaussian_cloud(50, 2, 3, 8.0, 0.0, 22);
  const Matrix rows = points(cloud);
  std::vector<double> weights(50, 1.0);
  Matrix repeated(0, 2);
  for (std::int64_t i = 0; i < 50; ++i) {
    if (i % 3 == 0) weights[static_cast<std::size_t>(i)] = 2.0;
    for (int copy = 0; copy < (i % 3 == 0 ? 2 : 1); ++copy) {
      repeated.values.insert(repeated.values.end(), rows.row(i).begin(), rows.row(i).end());
      ++repeated.rows;
    }
  }
  EXPECT_NEAR(kmeans(rows, weights, 3).objective, kmeans(repeated, {}, 3).objective, 1e-9);
}

TEST(Clustering, IsAFunctionOfItsSeedAndMoreAttemptsAreNoWorse) {
  const Matrix rows = points(testing_support::gaussian_cloud(300, 3, 8, 2.0, 0.0, 23));
  EXPECT_EQ(kmeans(rows, {}, 8, 3).labels, kmeans(rows, {}, 8, 3).labels);
  EXPECT_LE(kmeans(rows, {}, 8, 3, 10).objective, kmeans(rows, {}, 8, 3, 1).objective);
}

TEST(Clustering, LeavesNoClusterEmpty) {
  Matrix rows(10, 1);
  for (std::int64_t i = 0; i < 10; ++i) rows(i, 0) = i < 8 ? 0.0 : static_cast<double>(i);  // three distinct rows
  const Clustering found = kmeans(rows, {}, 5);
  EXPECT_EQ(std::set(found.labels.begin(), found.labels.end()).size(), 5u);
  for (const double value : found.centroids.values) EXPECT_TRUE(std::isfinite(value));
}

TEST(Clustering, OfAsManyRowsAsClustersIsAPermutation) {
  const Matrix rows = points(testing_support::gaussian_cloud(6, 2, 2, 3.0, 0.0, 24));
  const Clustering found = kmeans(rows, {}, 6);
  EXPECT_EQ(std::set(found.labels.begin(), found.labels.end()).size(), 6u);
  EXPECT_NEAR(shifted_inertia(rows, {}, found), found.objective, 1e-12);
}

}  // namespace
}  // namespace thalweg
