// A solve on any number of ranks gives the bits of a solve on one.
#include <gtest/gtest.h>

#include "cases.hpp"
#include "solvers/ordered_sum.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// 700 rows leave one of four ranks without rows.
Clouds ragged_clouds() {
  Clouds clouds;
  clouds.dimension = 2;
  for (int i = 0; i < 700; ++i) {
    for (int k = 0; k < 2; ++k) clouds.x.push_back(std::sin(1.0 + 0.37 * i * (k + 1)));
    clouds.a.push_back(i % 7 == 3 ? 0.0 : 1.0 + i % 3);
  }
  for (int j = 0; j < 150; ++j) {
    for (int k = 0; k < 2; ++k) clouds.y.push_back(0.5 + std::cos(2.0 + 0.53 * j * (k + 1)));
    clouds.b.push_back(j % 50 == 10 ? 0.0 : 1.0 + j % 5);
  }
  clouds.a = normalised(clouds.a);
  clouds.b = normalised(clouds.b);
  return clouds;
}

struct Case {
  std::string name;
  double lambda1, lambda2;
  bool is_symmetric = false;
  Precision precision = Precision::float64;
  bool is_tiled = false;
};

std::unique_ptr<PairGeometry> make_geometry(const Communicator& comm, const Clouds& clouds, const Case& c) {
  const auto n = static_cast<std::int64_t>(clouds.a.size()), m = static_cast<std::int64_t>(clouds.b.size());
  if (!c.is_tiled) return reference::make_dense_geometry(comm, clouds.costs(), m, c.precision);
  return make_pair_geometry({comm, c.precision, test_device(), 0}, {Cost::sq_euclidean, {n, 2, std::span(clouds.x)}, {m, 2, std::span(clouds.y)}, clouds.a, clouds.b, {}});
}

SinkhornSolution solve(const Communicator& comm, const Case& c) {
  Clouds clouds = ragged_clouds();
  if (c.is_symmetric) clouds = clouds.source_with_itself();
  const auto geometry = make_geometry(comm, clouds, c);
  SinkhornProblem problem;
  problem.geometry = geometry.get();
  problem.a = clouds.a;
  problem.b = clouds.b;
  problem.lambda1 = c.lambda1;
  problem.lambda2 = c.lambda2;
  problem.is_symmetric = c.is_symmetric;
  SinkhornSettings settings;
  settings.tolerance = 1e-7;
  return solve_sinkhorn({comm, c.precision, test_device(), 0}, problem, settings);
}

TEST(SinkhornOnRanks, HasTheBitsOfOneRank) {
  const auto world = make_world_communicator();
  const auto self = make_self_communicator();
  for (const Case& c : {Case{"balanced", infinity, infinity}, {"relaxed", 1.0, 50.0}, {"source relaxed", 1.0, infinity},
                        {"target relaxed", infinity, 1.0}, {"symmetric", infinity, infinity, true}, {"float32", infinity, infinity, false, Precision::float32},
                        {"tiled", infinity, infinity, false, Precision::float64, true}, {"tiled float32", 1.0, 50.0, false, Precision::float32, true},
                        {"tiled symmetric", infinity, infinity, true, Precision::float32, true}}) {
    SCOPED_TRACE(c.name);
    const SinkhornSolution solution = solve(*world, c), alone = solve(*self, c);
    EXPECT_EQ(solution.stop_reason, StopReason::converged);
    EXPECT_EQ(solution.evaluations, alone.evaluations);
    EXPECT_EQ(solution.g, alone.g);
    EXPECT_EQ(world->all_gather(std::span<const double>(solution.f)), alone.f);
    EXPECT_EQ(world->all_gather(std::span<const double>(solution.row_sums)), alone.row_sums);
    EXPECT_EQ(solution.column_sums, alone.column_sums);
    EXPECT_EQ(solution.primal, alone.primal);
    EXPECT_EQ(solution.dual, alone.dual);
    EXPECT_EQ(solution.upper, alone.upper);
    EXPECT_EQ(solution.cost, alone.cost);
    EXPECT_EQ(solution.entropy, alone.entropy);
    EXPECT_EQ(solution.error_target, alone.error_target);
    EXPECT_EQ(solution.smallest_row_ratio, alone.smallest_row_ratio);
    EXPECT_EQ(solution.max_marginal_error, alone.max_marginal_error);
    EXPECT_EQ(solution.history.size(), alone.history.size());
  }
}

TEST(SinkhornOnRanks, StopsOnAllWhenOneIsTold) {
  const auto world = make_world_communicator();
  const Clouds clouds = ragged_clouds();
  const auto geometry = reference::make_dense_geometry(*world, clouds.costs(), 150);
  SinkhornProblem problem;
  problem.geometry = geometry.get();
  problem.a = clouds.a;
  problem.b = clouds.b;
  const auto stop = [&]() -> std::optional<StopReason> {
    if (world->rank() == world->size() - 1) return StopReason::time_limit;
    return std::nullopt;
  };
  EXPECT_EQ(solve_sinkhorn({*world, Precision::float64, test_device(), 0}, problem, {}, {}, stop).stop_reason, StopReason::time_limit);
}

TEST(OrderedSum, HasTheSameBitsForAnyNumberOfRanks) {
  const auto world = make_world_communicator();
  const auto self = make_self_communicator();
  Vector values;
  for (int i = 0; i < 2 * 1300; ++i) values.push_back(std::sin(1.7 * i) * std::exp(20.0 * std::cos(0.3 * i)));
  const RowRange rows = Partition(1300, world->size(), 256).rows_of(world->rank());
  const std::span<const double> own = std::span(values).subspan(static_cast<std::size_t>(2 * rows.begin), static_cast<std::size_t>(2 * rows.size()));
  EXPECT_EQ(ordered_sums(*world, own, 2), ordered_sums(*self, values, 2));
}

}  // namespace
}  // namespace thalweg
