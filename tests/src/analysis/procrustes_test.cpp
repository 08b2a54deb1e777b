#include "analysis/procrustes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "distributed/error.hpp"
#include "kernels/random.hpp"

namespace thalweg {
namespace {

Matrix cloud(std::int64_t size, std::int64_t dimension, std::uint32_t stream) {
  const RandomStream random{7, stream};
  Matrix points(size, dimension);
  for (std::size_t k = 0; k < points.values.size(); ++k)
    points.values[k] = random.uniform(k) * (1.0 + static_cast<double>(k % static_cast<std::size_t>(dimension)));
  return points;
}

RigidMotion turn(double degrees, std::vector<double> translation, double scale = 1.0) {
  const double angle = degrees * std::numbers::pi / 180.0;
  RigidMotion motion;
  motion.rotation = Matrix(2, 2);
  motion.rotation.values = {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)};
  motion.translation = std::move(translation);
  motion.scale = scale;
  return motion;
}

double angle_of(const RigidMotion& motion) {
  return std::atan2(motion.rotation(1, 0), motion.rotation(0, 0)) * 180.0 / std::numbers::pi;
}

void expect_near(const Matrix& a, const Matrix& b, double tolerance) {
  for (std::size_t k = 0; k < a.values.size(); ++k) EXPECT_NEAR(a.values[k], b.values[k], tolerance) << k;
}

TEST(Procrustes, FindsTheMotionThatMadeTheImages) {
  const Matrix points = cloud(40, 2, 1);
  const RigidMotion made = turn(37.0, {3.0, -1.0}, 1.7);
  const std::vector<double> weights(40, 1.0);
  const RigidMotion found = fit_rigid_motion(points, moved(points, made), weights, {false, true});
  expect_near(found.rotation, made.rotation, 1e-12);
  EXPECT_NEAR(found.scale, 1.7, 1e-12);
  EXPECT_NEAR(found.translation[0], 3.0, 1e-12);
  EXPECT_NEAR(found.translation[1], -1.0, 1e-12);
  EXPECT_NEAR(found.residual_rms, 0.0, 1e-12);
}

/// Its value is the least of all angles, tried one by one.
TEST(Procrustes, HasTheLeastWeightedResidualOfAllTurns) {
  const Matrix points = cloud(12, 2, 2), images = cloud(12, 2, 3);
  std::vector<double> weights;
  for (int i = 0; i < 12; ++i) weights.push_back(1.0 + i);
  const RigidMotion best = fit_rigid_motion(points, images, weights, {});
  const auto residual_at = [&](double degrees) {
    const Matrix turned = moved(points, turn(degrees, {0.0, 0.0}));
    double residual = 0.0, sum = 78.0;
    for (std::int64_t k = 0; k < 2; ++k) {
      double shift = 0.0;
      for (std::int64_t i = 0; i < 12; ++i)
        shift += weights[static_cast<std::size_t>(i)] / sum * (images(i, k) - turned(i, k));
      for (std::int64_t i = 0; i < 12; ++i)
        residual += weights[static_cast<std::size_t>(i)] / sum * std::pow(turned(i, k) + shift - images(i, k), 2);
    }
    return std::sqrt(residual);
  };
  EXPECT_NEAR(residual_at(angle_of(best)), best.residual_rms, 1e-12);
  for (double degrees = -180.0; degrees < 180.0; degrees += 0.5)
    EXPECT_GE(residual_at(degrees), best.residual_rms - 1e-12) << degrees;
}

TEST(Procrustes, MirrorsOnlyWhereItMay) {
  for (const std::int64_t d : {2, 3}) {
    const Matrix points = cloud(30, d, 4);
    Matrix images = points;
    for (std::int64_t i = 0; i < 30; ++i) images(i, 0) = -images(i, 0);
    const std::vector<double> weights(30, 1.0);
    const RigidMotion kept = fit_rigid_motion(points, images, weights, {false, false});
    EXPECT_NEAR(determinant_of(kept.rotation), 1.0, 1e-12);
    EXPECT_GT(kept.residual_rms, 0.1);
    const RigidMotion free = fit_rigid_motion(points, images, weights, {true, false});
    EXPECT_NEAR(determinant_of(free.rotation), -1.0, 1e-12);
    EXPECT_NEAR(free.residual_rms, 0.0, 1e-12);
  }
}

TEST(Procrustes, LeavesOutPointsWithoutWeightOrImage) {
  Matrix points = cloud(20, 2, 5);
  Matrix images = moved(points, turn(-20.0, {0.5, 0.5}));
  std::vector<double> weights(20, 1.0);
  images(3, 1) = std::nan("");
  images(7, 0) = 1e6;
  weights[7] = 0.0;
  EXPECT_NEAR(angle_of(fit_rigid_motion(points, images, weights, {})), -20.0, 1e-10);
  EXPECT_THROW(fit_rigid_motion(points, images, std::vector<double>(20, 0.0), {}), DataError);
}

TEST(Procrustes, OfOnePointIsATranslation) {
  Matrix point(1, 3), image(1, 3);
  point.values = {1.0, 2.0, 3.0};
  image.values = {0.0, 0.0, 5.0};
  const RigidMotion motion = fit_rigid_motion(point, image, std::vector<double>{2.0}, {false, true});
  EXPECT_NEAR(determinant_of(motion.rotation), 1.0, 1e-12);
  expect_near(moved(point, motion), image, 1e-12);
}

}  // namespace
}  // namespace thalweg
