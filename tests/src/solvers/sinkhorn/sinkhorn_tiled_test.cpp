// The solver over the tiled geometry, in both precisions.
#include <gtest/gtest.h>

#include "cases.hpp"
#include "solvers/sinkhorn/divergence.hpp"
#include "solvers/sinkhorn/gradients.hpp"
#include "solvers/sinkhorn/rounding.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// A solver context and a tiled geometry of squared distances.
struct Tiled {
  std::unique_ptr<Communicator> comm = make_self_communicator();
  Context context;
  std::unique_ptr<PairGeometry> geometry;
  SinkhornProblem problem;
  SinkhornSettings settings;

  Tiled(const Clouds& clouds, Precision precision) : context{*comm, precision, test_device(), 0} {
    const auto n = static_cast<std::int64_t>(clouds.a.size()), m = static_cast<std::int64_t>(clouds.b.size());
    geometry = make_pair_geometry(context, {Cost::sq_euclidean, {n, clouds.dimension, std::span(clouds.x)}, {m, clouds.dimension, std::span(clouds.y)}, clouds.a, clouds.b, {}});
    geometry->set_scale(clouds.scale > 0.0 ? clouds.scale : geometry->cost_statistic(CostStatistic::mean));
    problem.geometry = geometry.get();
    problem.a = clouds.a;
    problem.b = clouds.b;
  }
  SinkhornSolution solve() const { return solve_sinkhorn(context, problem, settings); }
};

struct Expected {
  double epsilon, lambda1, lambda2;
  EntropyReference reference;
  double cost, primal, mass;
};

const std::vector<Expected>& expected_values() {
  static const std::vector<Expected> values{
      {0.5, infinity, infinity, EntropyReference::product, 0.627402824197372, 0.794182532917852, 1.0},
      {0.05, infinity, infinity, EntropyReference::product, 0.321106372682520, 0.412500700999230, 1.0},
      {0.01, infinity, infinity, EntropyReference::product, 0.307747860147220, 0.330848256020720, 1.0},
      {0.05, 1.0, 50.0, EntropyReference::product, 0.289624507147084, 0.394007232069774, 0.992281934729293},
      {0.05, 1.0, 50.0, EntropyReference::counting, 0.291449521561703, 60.001188619346, 0.998997284635727},
      {0.05, 1.0, 50.0, EntropyReference::uniform, 0.289432634895932, 0.404110189066767, 0.992084031555993},
      {0.05, infinity, 1.0, EntropyReference::product, 0.290801878752773, 0.394158178662569, 1.0},
      {0.05, infinity, 1.0, EntropyReference::counting, 0.290570025641805, 59.999739675190, 1.0},
      {0.05, infinity, 1.0, EntropyReference::uniform, 0.290570025641805, 0.404243516978280, 1.0}};
  return values;
}

void expect_values(Precision precision, double tolerance) {
  Tiled tiled(small_clouds(), precision);
  for (const Expected& expected : expected_values()) {
    tiled.problem.epsilon = expected.epsilon;
    tiled.problem.lambda1 = expected.lambda1;
    tiled.problem.lambda2 = expected.lambda2;
    tiled.problem.reference = expected.reference;
    tiled.settings.tolerance = 0.1 * tolerance;
    tiled.settings.gap_tolerance = 0.1 * tolerance;
    const SinkhornSolution solution = tiled.solve();
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_NEAR(solution.cost, expected.cost, tolerance);
    EXPECT_NEAR(solution.primal, expected.primal, tolerance * std::max(1.0, expected.primal));
    EXPECT_NEAR(solution.dual, expected.primal, tolerance * std::max(1.0, expected.primal));
    EXPECT_NEAR(solution.mass, expected.mass, tolerance);
  }
}

TEST(TiledSinkhorn, HasThePublishedValuesInFloat64) { expect_values(Precision::float64, 1e-9); }
TEST(TiledSinkhorn, HasThePublishedValuesInFloat32) { expect_values(Precision::float32, 1e-5); }

/// The problem's own geometry gives the coupling of the solution.
void expect_geometry_of(const Tiled& tiled, const SinkhornSolution& solution, double tolerance) {
  EXPECT_DOUBLE_EQ(tiled.geometry->epsilon(), solution.epsilon);
  const std::vector<double> sums = tiled.geometry->row_sums(tiled.geometry->rows(), solution.f, solution.g);
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i] / solution.row_sums[i], 1.0, tolerance);
}

TEST(TiledSinkhorn, LeavesTheGeometryAtItsEpsilonWhereverItStops) {
  Tiled tiled(small_clouds(), Precision::float32);
  tiled.settings.max_iterations = 2;  // while annealing
  const SinkhornSolution stopped = tiled.solve();
  EXPECT_EQ(stopped.stop_reason, StopReason::max_iterations);
  EXPECT_FALSE(stopped.needs_float64);
  expect_geometry_of(tiled, stopped, 1e-4);
}

TEST(TiledSinkhorn, SaysThatFloat32WasTooCoarse) {
  Tiled tiled(small_clouds(), Precision::float32);
  tiled.settings.tolerance = 1e-10;
  const SinkhornSolution solution = tiled.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_TRUE(solution.needs_float64);
  expect_geometry_of(tiled, solution, 1e-4);
  tiled.problem.epsilon = 5e-7;
  tiled.settings.max_iterations = 5;
  EXPECT_TRUE(tiled.solve().needs_float64);
  EXPECT_DOUBLE_EQ(tiled.geometry->epsilon(), 5e-7);
}

TEST(RoundingOfSums, IsThatOfFloat32AndNothingInFloat64) {
  Clouds clouds = small_clouds();
  double left = 0.0;
  for (std::size_t i = 0; i < clouds.a.size(); ++i) left += i % 10 < 9 ? clouds.a[i] = 0.0 : clouds.a[i];
  for (double& weight : clouds.a) weight /= left;
  Tiled tiled(clouds, Precision::float32);
  const PreparedTransport transport = prepare_transport(tiled.problem);
  enter_epsilon(transport, 0.05, *tiled.geometry);
  const Iterate now = SinkhornMap(*tiled.comm, transport, *tiled.geometry).at(std::vector<double>(clouds.b.size(), 0.0), {});
  const auto exact = tiled.geometry->in_float64();
  const double rounding = rounding_of_sums(*tiled.comm, transport, *tiled.geometry, *exact, now);
  EXPECT_GT(rounding, 1e-9);
  EXPECT_LT(rounding, 3e-6);
  EXPECT_EQ(rounding_of_sums(*tiled.comm, transport, *exact, *exact, now), 0.0);
}

TEST(TiledSinkhorn, HasThePublishedCertificate) {
  Tiled tiled(small_clouds(), Precision::float64);
  tiled.problem.epsilon = tiled.settings.epsilon_start.emplace(0.01);
  tiled.settings.acceleration = Acceleration::none;
  tiled.settings.max_iterations = 100;
  const SinkhornSolution solution = tiled.solve();
  const double optimum = 0.330848256020720;
  EXPECT_NEAR(solution.dual - optimum, -7.4661e-5, 1e-9);
  EXPECT_NEAR(solution.upper - optimum, 8.21774e-3, 1e-8);
}

TEST(TiledSinkhorn, HasThePublishedDivergenceAndGradient) {
  const Clouds clouds = small_clouds();
  for (const Precision precision : {Precision::float64, Precision::float32}) {
    const bool is_double = precision == Precision::float64;
    Tiled cross(clouds, precision), source(clouds.source_with_itself(), precision), target(clouds.target_with_itself(), precision);
    cross.settings.tolerance = is_double ? 1e-11 : 1e-6;
    const DivergenceSolution solution = solve_divergence(cross.context, {cross.problem, source.geometry.get(), target.geometry.get()}, cross.settings);
    EXPECT_NEAR(solution.value, 0.285344891511486, is_double ? 1e-9 : 1e-5);
    const Vector gradient = source_point_gradient(*cross.geometry, solution.cross, {3, clouds.x, clouds.y});
    EXPECT_NEAR(gradient[0], 0.00130721, is_double ? 1e-8 : 1e-6);
    EXPECT_NEAR(gradient[2], -0.00230833, is_double ? 1e-8 : 1e-6);
  }
}

Clouds mixture() {
  const std::vector<float> points = read_golden<float>("sinkhorn_mixture.f32", 60000);
  Clouds clouds;
  clouds.dimension = 30;
  clouds.scale = 0.0;
  clouds.x.assign(points.begin(), points.begin() + 30000);
  clouds.y.assign(points.begin() + 30000, points.end());
  clouds.a = clouds.b = Vector(1000, 1e-3);
  return clouds;
}

TEST(TiledSinkhorn, MeetsTheTargetsOfTheMixtureInFloat32) {
  const Clouds clouds = mixture();
  for (const auto& [epsilon, to_1e3, to_1e6] : {std::tuple{0.05, 40, 52}, {0.01, 78, 115}, {0.005, 108, 180}}) {
    Tiled tiled(clouds, Precision::float32);
    tiled.problem.epsilon = epsilon;
    tiled.settings.tolerance = 1e-6;
    const SinkhornSolution solution = tiled.solve();
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_LE(solution.error_target, 1e-6);
    EXPECT_LE(evaluations_until(solution, 1e-3), to_1e3);
    EXPECT_LE(solution.evaluations, to_1e6);
  }
}

TEST(TiledSinkhorn, ConvergesOnRandomProblemsInFloat32) {
  std::mt19937_64 generator(5);
  std::uniform_real_distribution<double> exponent(-3.0, 0.0);
  for (int k = 0; k < 20; ++k) {
    Clouds clouds = random_clouds(generator);
    clouds.scale = 0.0;  // the mean
    Tiled tiled(clouds, Precision::float32);
    tiled.problem.epsilon = std::pow(10.0, exponent(generator));
    tiled.settings.max_iterations = 5000;  // one problem needs about 1600
    SCOPED_TRACE("problem " + std::to_string(k) + ", epsilon " + std::to_string(tiled.problem.epsilon));
    const SinkhornSolution solution = tiled.solve();
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_LE(solution.error_target, tiled.settings.tolerance);
    EXPECT_LE(solution.dual, solution.upper);
  }
}

}  // namespace
}  // namespace thalweg
