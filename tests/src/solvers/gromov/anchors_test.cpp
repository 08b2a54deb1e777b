// A few cells that stand for all, and the costs between those of both sides, on any number of ranks.
#include "solvers/gromov/anchors.hpp"

#include <gtest/gtest.h>

#include "solvers/gromov/multi_start.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

constexpr std::int64_t n = 530, m = 300;

class AnchorsOnRanks : public ::testing::Test {
 protected:
  Vector owned_linear() const {
    const RowRange rows = Partition(n, world_->size(), block_rows).rows_of(world_->rank());
    return {linear_.begin() + rows.begin * m, linear_.begin() + rows.end * m};
  }

  std::unique_ptr<Communicator> world_ = make_world_communicator();
  ToySide x_ = toy_source(n), y_ = toy_target(m);
  Vector all_x_ = x_.distances(false), all_y_ = y_.distances(false);
  Vector own_x_ = owned(*world_, all_x_, n), own_y_ = owned(*world_, all_y_, m);
  Vector linear_ = toy_linear(n, m);
};

TEST_F(AnchorsOnRanks, LeadingOnesHaveTheWeightsOfTheCellsNearest) {
  constexpr std::int64_t count = 40;
  const IntraRows rows(*world_, StoredIntraCosts{n, std::span<const double>(own_x_), 2.0});
  const Anchors anchors = leading_anchors(*world_, rows, x_.weights, count, {3, 1});
  Vector expected(count, 0.0);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto row = all_x_.begin() + i * n;
    expected[static_cast<std::size_t>(std::min_element(row, row + count) - row)] +=
        x_.weights[static_cast<std::size_t>(i)];
  }
  ASSERT_EQ(anchors.cells.size(), static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < count; ++k) {
    EXPECT_EQ(anchors.cells[k], static_cast<std::int64_t>(k));
    EXPECT_NEAR(anchors.weights[k], expected[k], 1e-15);
  }
  EXPECT_EQ(leading_anchors(*world_, rows, x_.weights, 9999, {3, 1}).cells.size(), static_cast<std::size_t>(n));
}

/// Of 300 anchors, more than one block of rows.
TEST_F(AnchorsOnRanks, StoredCostsOnRanksAreTheirOwnedRows) {
  constexpr std::int64_t count = 300;
  const IntraRows rows(*world_, StoredIntraCosts{n, std::span<const double>(own_x_), 2.0});
  const AnchorSide side(*world_, rows, leading_anchors(*world_, rows, x_.weights, count, {3, 1}));
  const auto costs = std::get<StoredIntraCosts>(side.costs_on(*world_));
  const auto values = std::get<std::span<const double>>(costs.values);
  const RowRange own = Partition(count, world_->size(), block_rows).rows_of(world_->rank());
  EXPECT_EQ(costs.num_cells, count);
  ASSERT_EQ(static_cast<std::int64_t>(values.size()), own.size() * count);
  for (std::int64_t i = own.begin; i < own.end; ++i)
    for (std::int64_t k = 0; k < count; ++k)
      ASSERT_EQ(values[static_cast<std::size_t>((i - own.begin) * count + k)], all_x_[static_cast<std::size_t>(i * n + k)] / 2.0);
}

TEST_F(AnchorsOnRanks, LinearCostsAreThoseOfTheirCells) {
  const std::vector<std::int64_t> rows{0, 3, 255, 256, 529}, columns{7, 299};
  const Vector own = owned_linear(), u = toy_shared(n, 1.0), v = toy_shared(m, 1.1);
  GromovProblem problem{StoredIntraCosts{n, std::span<const double>(own_x_), 1.0},
                        StoredIntraCosts{m, std::span<const double>(own_y_), 1.0}, x_.weights, y_.weights};
  EXPECT_FALSE(AnchorLinear(*world_, problem, rows, columns).costs().has_value());

  problem.linear = StoredLinearCosts{std::span<const double>(own)};
  const AnchorLinear stored(*world_, problem, rows, columns);
  const auto costs = std::get<std::span<const double>>(std::get<StoredLinearCosts>(*stored.costs()).values);
  ASSERT_EQ(costs.size(), 10U);
  for (std::size_t k = 0; k < rows.size(); ++k)
    for (std::size_t l = 0; l < columns.size(); ++l)
      EXPECT_EQ(costs[2 * k + l], linear_[static_cast<std::size_t>(rows[k] * m + columns[l])]);

  problem.linear = SharedFeatures{{n, 2, std::span<const double>(u)}, {m, 2, std::span<const double>(v)}};
  const AnchorLinear shared(*world_, problem, rows, columns);
  const SharedFeatures features = std::get<SharedFeatures>(*shared.costs());
  const auto source = std::get<std::span<const double>>(features.source.values),
             target = std::get<std::span<const double>>(features.target.values);
  ASSERT_EQ(features.source.num_points, 5);
  ASSERT_EQ(features.target.num_points, 2);
  EXPECT_EQ(source[2 * 3 + 1], u[2 * 256 + 1]);
  EXPECT_EQ(target[2 * 1], v[2 * 299]);
}

/// Fused problems through anchors: no worse than from a b^T on all cells, and the same on any number of ranks.
TEST_F(AnchorsOnRanks, FusedProblemsHaveAllStarts) {
  const auto self = make_self_communicator();
  const auto solve = [&](const Communicator& comm, const Vector& x, const Vector& y, const Vector& linear,
                         std::int64_t starts) {
    GromovProblem problem{StoredIntraCosts{n, std::span<const double>(x), 6.0},
                          StoredIntraCosts{m, std::span<const double>(y), 6.0}, x_.weights, y_.weights, 0.05, 0.7};
    problem.linear = StoredLinearCosts{std::span<const double>(linear)};
    MultiStartSettings settings;
    settings.starts = starts;
    settings.anchors = 60;
    settings.choice = AnchorChoice::leading;
    settings.solve.epsilon_decay = 0.6;
    settings.solve.tolerance = 1e-5;
    return solve_gromov_from_starts({comm, Precision::float64, test_device(), 7}, problem, settings);
  };
  const MultiStartSolution many = solve(*world_, own_x_, own_y_, owned_linear(), 8),
                           one = solve(*self, all_x_, all_y_, linear_, 8),
                           product = solve(*self, all_x_, all_y_, linear_, 1);
  ASSERT_EQ(one.starts.size(), 8U);
  for (const StartReport& start : one.starts) EXPECT_TRUE(std::isfinite(start.anchor_primal)) << start.name;
  EXPECT_LE(one.best.primal, product.best.primal * (1 + 1e-4));
  EXPECT_EQ(many.best_start, one.best_start);
  EXPECT_EQ(many.best.primal, one.best.primal);
  EXPECT_EQ(many.best.coupling.g, one.best.coupling.g);
  EXPECT_EQ(many.other_start, one.other_start);
}

}  // namespace
}  // namespace thalweg
