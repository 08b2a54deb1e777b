#include "job/simulation/mixture.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "distributed/error.hpp"
#include "job/simulation/normals.hpp"

namespace thalweg {
namespace {

TEST(Normals, HaveTheMomentsOfIndependentNormals) {
  constexpr std::uint64_t blocks = 100000;
  double moments[4] = {}, neighbours = 0.0, halves = 0.0;
  for (std::uint64_t index = 0; index < blocks; ++index) {
    const auto x = four_normals(1, SimulationStream::cell, index, 0);
    for (const double value : x) {
      for (int power = 1; power <= 4; ++power) moments[power - 1] += std::pow(value, power) / (4.0 * blocks);
    }
    neighbours += static_cast<double>(x[0]) * x[1] / blocks;
    halves += static_cast<double>(x[1]) * x[2] / blocks;
  }
  const double deviation = std::sqrt(1.0 / (4.0 * blocks));
  EXPECT_NEAR(moments[0], 0.0, 5.0 * deviation);
  EXPECT_NEAR(moments[1], 1.0, 5.0 * std::sqrt(2.0) * deviation);
  EXPECT_NEAR(moments[2], 0.0, 5.0 * std::sqrt(15.0) * deviation);
  EXPECT_NEAR(moments[3], 3.0, 5.0 * std::sqrt(96.0) * deviation);
  EXPECT_NEAR(neighbours, 0.0, 5.0 / std::sqrt(blocks));
  EXPECT_NEAR(halves, 0.0, 5.0 / std::sqrt(blocks));
}

TEST(Normals, StreamsSeedsAndDrawsDiffer) {
  const auto base = four_normals(1, SimulationStream::cell, 3, 0);
  EXPECT_NE(base, four_normals(2, SimulationStream::cell, 3, 0));
  EXPECT_NE(base, four_normals(1, SimulationStream::start, 3, 0));
  EXPECT_NE(base, four_normals(1, SimulationStream::cell, 3, 1));
  EXPECT_NE(base, four_normals(1, SimulationStream::cell, 3 + (std::uint64_t{1} << 32), 0));
}

TEST(Mixture, RowsDoNotDependOnTheSplit) {
  const Mixture mixture({.cells = 1000, .dimensions = 7, .seed = 3});
  const auto whole = mixture.block(1, {0, 1000});
  for (const RowRange rows : {RowRange{0, 1}, RowRange{256, 700}, RowRange{999, 1000}, RowRange{5, 5}}) {
    const auto part = mixture.block(1, rows);
    ASSERT_EQ(part.rows, rows.size());
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(part.labels[static_cast<std::size_t>(i)], whole.labels[static_cast<std::size_t>(rows.begin + i)]);
      for (std::int64_t j = 0; j < 7; ++j) {
        EXPECT_EQ(part.points[static_cast<std::size_t>(i * 7 + j)],
                  whole.points[static_cast<std::size_t>((rows.begin + i) * 7 + j)]);
      }
    }
  }
}

TEST(Mixture, CellsOfDifferentTimesAreIndependentDraws) {
  const Mixture mixture({.cells = 50, .seed = 3});
  EXPECT_NE(mixture.block(0, {0, 50}).labels, mixture.block(1, {0, 50}).labels);
}

TEST(Mixture, CentresHaveTheirNormAndDrift) {
  const Mixture mixture({.components = 5, .dimensions = 12, .separation = 3.0, .drift = 0.5});
  const Matrix start = mixture.centres(0), later = mixture.centres(2);
  for (std::int64_t k = 0; k < 5; ++k) {
    double norm = 0.0, moved = 0.0;
    for (std::int64_t j = 0; j < 12; ++j) {
      norm += start(k, j) * start(k, j);
      moved += std::pow(later(k, j) - start(k, j), 2);
    }
    EXPECT_NEAR(std::sqrt(norm), 3.0, 1e-12);
    EXPECT_NEAR(std::sqrt(moved), 1.0, 1e-12);
  }
}

TEST(Mixture, CellsFollowTheWeightsCentresAndUnitNoise) {
  constexpr std::int64_t cells = 40000, dimensions = 6, components = 4;
  const Mixture mixture({.cells = cells, .components = components, .dimensions = dimensions, .seed = 9});
  const auto block = mixture.block(2, {0, cells});
  const Matrix centres = mixture.centres(2);
  std::vector<double> counts(components);
  Matrix means(components, dimensions);
  double squares = 0.0;
  for (std::int64_t i = 0; i < cells; ++i) {
    const std::int64_t k = block.labels[static_cast<std::size_t>(i)];
    ++counts[static_cast<std::size_t>(k)];
    for (std::int64_t j = 0; j < dimensions; ++j) {
      const double error = block.points[static_cast<std::size_t>(i * dimensions + j)] - centres(k, j);
      means(k, j) += error;
      squares += error * error;
    }
  }
  for (std::int64_t k = 0; k < components; ++k) {
    const double count = counts[static_cast<std::size_t>(k)], weight = mixture.weights()(2, k);
    EXPECT_NEAR(count / cells, weight, 5.0 * std::sqrt(weight / cells));
    for (const double sum : means.row(k)) EXPECT_NEAR(sum / count, 0.0, 5.0 / std::sqrt(count));
  }
  EXPECT_NEAR(squares / (cells * dimensions), 1.0, 5.0 * std::sqrt(2.0 / (cells * dimensions)));
}

TEST(Mixture, WeightsAreDirichletOfShapeFive) {
  const Mixture mixture({.times = 4000, .components = 4});
  double squares = 0.0;
  for (std::int64_t t = 0; t < 4000; ++t) {
    const auto weights = mixture.weights().row(t);
    EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1.0, 1e-14);
    for (const double weight : weights) squares += std::pow(weight - 0.25, 2) / 16000.0;
  }
  EXPECT_NEAR(squares, 0.25 * 0.75 / 21.0, 5e-4);  // variance mean (1 - mean) / (4 x 5 + 1)
}

TEST(Mixture, SizesBelowOneAreRefused) {
  EXPECT_THROW(Mixture({.components = 0}), ConfigError);
  EXPECT_THROW(Mixture({.dimensions = -1}), ConfigError);
}

}  // namespace
}  // namespace thalweg
