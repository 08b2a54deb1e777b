#include "job/simulation/langevin.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "distributed/error.hpp"
#include "job/simulation/tristable.hpp"
#include "job/simulation/volcano.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

double mean_square(const SimulatedBlock& block) {
  double sum = 0.0;
  for (const double value : block.points) sum += value * value;
  return sum / static_cast<double>(block.rows);
}

TEST(Landscape, GradientIsTheSlopeOfTheValue) {
  for (const Landscape& landscape : {tristable_landscape(), volcano_landscape()}) {
    for (const PlanePoint point : {PlanePoint{0.3, -0.2}, {-2.5, 0.7}, {2.4, 2.2}, {6.0, -4.0}, {-9.0, 1.0}}) {
      constexpr double step = 1e-5;
      const PlanePoint slope = landscape.gradient(point);
      const double along_x = landscape.value({point.x + step, point.y}) - landscape.value({point.x - step, point.y});
      const double along_y = landscape.value({point.x, point.y + step}) - landscape.value({point.x, point.y - step});
      EXPECT_NEAR(slope.x, along_x / (2.0 * step), 1e-8);
      EXPECT_NEAR(slope.y, along_y / (2.0 * step), 1e-8);
    }
  }
}

TEST(Tristable, ValueIsItsFormula) {
  const Landscape landscape = tristable_landscape();
  const double x = 0.4, y = -1.1, s2 = 0.36;
  double expected = 0.0;
  for (const double c : {-2.0, 2.0}) expected += 2.0 * std::exp(-x * x / (2.0 * s2) - (y - c) * (y - c) / (4.0 * s2));
  for (const auto& [wx, wy] : {std::pair{-3.0, 0.0}, std::pair{2.0, 2.0}, std::pair{2.0, -2.0}}) {
    expected -= 5.0 * std::exp(-((x - wx) * (x - wx) + (y - wy) * (y - wy)) / (2.0 * 0.49));
  }
  EXPECT_NEAR(landscape.value({x, y}), expected, 1e-14);
}

TEST(Tristable, FateIsTheNearestWellAtTheEndAtAllTimes) {
  const Landscape landscape = tristable_landscape();
  const auto blocks = simulate_langevin(landscape, tristable_parameters(), {0, 300});
  ASSERT_EQ(blocks.size(), 3u);
  std::vector<int> counts(3);
  for (std::size_t i = 0; i < 300; ++i) {
    const PlanePoint last{blocks[2].points[2 * i], blocks[2].points[2 * i + 1]};
    EXPECT_EQ(blocks[2].labels[i], landscape.type_of(last));
    EXPECT_EQ(blocks[0].labels[i], blocks[2].labels[i]);
    ++counts[static_cast<std::size_t>(blocks[2].labels[i])];
  }
  EXPECT_THAT(counts, testing::Each(testing::Gt(30)));
  EXPECT_NEAR(mean_square(blocks[0]), 0.2, 5.0 * std::sqrt(2.0 * 2.0 * 0.01 / 300.0));
}

TEST(Volcano, TypesEqualScipy) {
  const Landscape landscape = volcano_landscape();
  std::ifstream file(test_data() + "/volcano.txt");
  std::size_t found = 0;
  for (double x, y, value; file >> x >> y >> value; ++found) {
    const bool present = std::any_of(landscape.types.begin(), landscape.types.end(), [&](PlanePoint type) {
      return std::hypot(type.x - x, type.y - y) < 1e-6 && std::abs(landscape.value(type) - value) < 1e-10;
    });
    EXPECT_TRUE(present) << x << " " << y;
  }
  EXPECT_EQ(found, 15u);
  EXPECT_EQ(landscape.types.size(), 15u);
}

TEST(Volcano, OuterTypesAreMinimaAndInnerOnesFork) {
  const Landscape landscape = volcano_landscape();
  for (std::size_t k = 0; k < landscape.types.size(); ++k) {
    int lower = 0;
    for (int turn = 0; turn < 16; ++turn) {
      const double angle = turn * M_PI / 8.0;
      const PlanePoint near{landscape.types[k].x + 0.05 * std::cos(angle),
                            landscape.types[k].y + 0.05 * std::sin(angle)};
      lower += landscape.value(near) < landscape.value(landscape.types[k]);
    }
    EXPECT_EQ(lower > 0, k < 3) << landscape.names[k];
  }
}

TEST(Volcano, ParticlesVisitTheRingsInTurn) {
  const auto blocks = simulate_langevin(volcano_landscape(), volcano_parameters(), {0, 200});
  const auto share_between = [](const SimulatedBlock& block, int low, int high) {
    return static_cast<double>(
               std::count_if(block.labels.begin(), block.labels.end(), [&](int k) { return k >= low && k < high; })) /
           static_cast<double>(block.rows);
  };
  EXPECT_GT(share_between(blocks[0], 0, 3), 0.9);
  EXPECT_GT(share_between(blocks[1], 3, 9), 0.9);
  EXPECT_GT(share_between(blocks[2], 9, 15), 0.8);
}

TEST(Langevin, RowsDoNotDependOnTheSplit) {
  LangevinParameters parameters = tristable_parameters();
  parameters.embed_dim = 5;
  parameters.noise = 0.3;
  const Landscape landscape = tristable_landscape();
  const auto whole = simulate_langevin(landscape, parameters, {0, 60}),
             part = simulate_langevin(landscape, parameters, {17, 40});
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_TRUE(std::equal(part[t].points.begin(), part[t].points.end(), whole[t].points.begin() + 17 * 5));
    EXPECT_TRUE(std::equal(part[t].labels.begin(), part[t].labels.end(), whole[t].labels.begin() + 17));
  }
}

TEST(Langevin, FreeParticlesDiffuseWithVarianceTwoDt) {
  const LangevinParameters parameters{
      .particles = 20000, .steps = 51, .dt = 0.1, .diffusion = 0.3, .snapshots = {0, 50}};
  Landscape flat;
  flat.start_variance = 0.5;
  const auto blocks = simulate_langevin(flat, parameters, {0, 20000});
  for (const auto& [block, variance] : {std::pair{&blocks[0], 0.5}, std::pair{&blocks[1], 0.5 + 2.0 * 0.3 * 5.0}}) {
    EXPECT_NEAR(mean_square(*block), 2.0 * variance, 5.0 * 2.0 * variance / std::sqrt(20000.0));
  }
}

TEST(Langevin, WithoutNoiseAParabolaShrinksGeometrically) {
  const LangevinParameters parameters{.particles = 10, .steps = 11, .dt = 0.1, .diffusion = 0.0, .snapshots = {0, 10}};
  Landscape bowl;
  bowl.parabola = 0.5;
  const auto blocks = simulate_langevin(bowl, parameters, {0, 10});
  for (std::size_t k = 0; k < 20; ++k) EXPECT_NEAR(blocks[1].points[k], std::pow(0.9, 10) * blocks[0].points[k], 1e-6);
}

TEST(Langevin, LiftAddsUnitNoiseInTheOtherDimensionsOnly) {
  LangevinParameters parameters{.particles = 5000, .steps = 1, .dt = 0.1, .diffusion = 0.1, .snapshots = {0}};
  Landscape flat;
  flat.start_variance = 4.0;
  const double plane = mean_square(simulate_langevin(flat, parameters, {0, 5000})[0]);
  parameters.embed_dim = 10;
  const auto lifted = simulate_langevin(flat, parameters, {0, 5000});
  EXPECT_EQ(lifted[0].dimensions, 10);
  EXPECT_NEAR(mean_square(lifted[0]) - plane, 8.0, 5.0 * 4.0 / std::sqrt(5000.0));
}

TEST(Langevin, MeasurementNoiseAddsItsVariance) {
  LangevinParameters parameters{.particles = 5000, .steps = 1, .dt = 0.1, .diffusion = 0.1, .snapshots = {0}};
  Landscape flat;
  flat.start_variance = 0.01;
  parameters.noise = 2.0;
  EXPECT_NEAR(mean_square(simulate_langevin(flat, parameters, {0, 5000})[0]), 2.0 * 4.01,
              5.0 * 8.02 / std::sqrt(5000.0));
}

TEST(Langevin, ImpossibleParametersAreRefused) {
  const Landscape landscape = tristable_landscape();
  const auto refused = [&](auto change) {
    LangevinParameters parameters = tristable_parameters();
    change(parameters);
    EXPECT_THROW(simulate_langevin(landscape, parameters, {0, 1}), ConfigError);
  };
  refused([](auto& p) { p.snapshots = {0, 400}; });
  refused([](auto& p) { p.snapshots = {5, 5}; });
  refused([](auto& p) { p.snapshots.clear(); });
  refused([](auto& p) { p.dt = 0.0; });
  refused([](auto& p) { p.diffusion = -1.0; });
  refused([](auto& p) { p.embed_dim = 1; });
}

TEST(KeptTypes, NeedTwoPercentOfTheParticles) {
  EXPECT_THAT(kept_types({0, 19, 20, 500}, 1000), testing::ElementsAre(false, false, true, true));
}

}  // namespace
}  // namespace thalweg
