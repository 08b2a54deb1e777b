// Alignment from several starts on any number of ranks gives the bits of one rank.
#include <gtest/gtest.h>

#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/multi_start.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

Vector values_of(std::int64_t count, double phase) {
  Vector values;
  for (std::int64_t k = 0; k < count; ++k) values.push_back(std::sin(phase + 0.37 * static_cast<double>(k)));
  return values;
}

/// Symmetric bytes; all rows.
std::vector<std::uint8_t> bytes_of(std::int64_t size, double bend) {
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t k = 0; k < size; ++k) {
      const double x = static_cast<double>(i) / static_cast<double>(size),
                   y = static_cast<double>(k) / static_cast<double>(size);
      values.push_back(static_cast<std::uint8_t>(std::round(6.0 * std::abs(x - y + bend * (x * x - y * y)))));
    }
  return values;
}

template <class T>
std::vector<T> owned_part(const Communicator& comm, const std::vector<T>& all, std::int64_t rows) {
  const RowRange own = Partition(rows, comm.size(), block_rows).rows_of(comm.rank());
  const auto width = static_cast<std::int64_t>(all.size()) / rows;
  return {all.begin() + own.begin * width, all.begin() + own.end * width};
}

TEST(GromovStartsOnRanks, MultiplyThroughCellsAsPlainLoopsDo) {
  const auto world = make_world_communicator();
  constexpr std::int64_t m = 530;
  const std::vector<std::uint8_t> y = bytes_of(m, 0.5);
  const auto own_y = owned_part(*world, y, m);
  CellCoupling coupling{{}, {}, Matrix(300, 9)};
  for (std::int64_t k = 0; k < 300; ++k) coupling.rows.push_back(2 * k);
  for (std::int64_t l = 0; l < 9; ++l) coupling.columns.push_back(58 * l + 3);
  coupling.mass.values = values_of(2700, 0.4);
  const StoredIntraCosts target{m, std::span<const std::uint8_t>(own_y), 3.0};
  const Vector product = costs_through_cells<double>(*world, target, coupling);
  ASSERT_EQ(product.size(), static_cast<std::size_t>(300 * m));
  for (std::int64_t k = 0; k < 300; k += 23)
    for (std::int64_t j = 0; j < m; j += 31) {
      double sum = 0.0;
      for (std::int64_t l = 0; l < 9; ++l)
        sum += coupling.mass(k, l) * y[static_cast<std::size_t>((58 * l + 3) * m + j)] / 3.0;
      EXPECT_NEAR(product[static_cast<std::size_t>(k * m + j)], sum, 1e-10);
    }
}

MultiStartSolution solve_hops(const Communicator& comm) {
  constexpr std::int64_t n = 600, m = 530;
  const auto x = owned_part(comm, bytes_of(n, 0.2), n), y = owned_part(comm, bytes_of(m, 0.5), m);
  MultiStartSettings starts;
  starts.solve.epsilon_decay = 0.6;
  starts.solve.inner_tolerance = 1e-5;
  starts.anchors = 70;
  return solve_gromov_from_starts(
      {comm, Precision::float32, test_device(), 7},
      {StoredIntraCosts{n, std::span<const std::uint8_t>(x), 6.0},
       StoredIntraCosts{m, std::span<const std::uint8_t>(y), 6.0}, Vector(n, 1.0 / n), Vector(m, 1.0 / m), 0.02},
      starts);
}

MultiStartSolution solve_squares(const Communicator& comm) {
  const Vector x = values_of(3 * 520, 0.2), y = values_of(2 * 300, 0.9);
  MultiStartSettings starts;
  starts.solve.epsilon_decay = 0.6;
  starts.starts = 9;
  starts.exchange_groups = 3;
  starts.anchors = 60;
  return solve_gromov_from_starts({comm, Precision::float64, test_device(), 7},
                                  {SquaredDistances{{520, 3, std::span<const double>(x)}, 3.0},
                                   SquaredDistances{{300, 2, std::span<const double>(y)}, 2.0}, Vector(520, 1.0 / 520),
                                   Vector(300, 1.0 / 300), 0.02},
                                  starts);
}

/// Every start on all cells, rows on several ranks.
MultiStartSolution solve_whole(const Communicator& comm) {
  const Vector x = values_of(3 * 300, 0.2), y = values_of(2 * 270, 0.9);
  MultiStartSettings starts;
  starts.solve.epsilon_decay = 0.6;
  return solve_gromov_from_starts({comm, Precision::float64, test_device(), 7},
                                  {SquaredDistances{{300, 3, std::span<const double>(x)}, 3.0},
                                   SquaredDistances{{270, 2, std::span<const double>(y)}, 2.0}, Vector(300, 1.0 / 300),
                                   Vector(270, 1.0 / 270), 0.02},
                                  starts);
}

void expect_equal(double x, double y) { EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << x << " " << y; }

TEST(GromovStartsOnRanks, HaveTheBitsOfOneRank) {
  const auto world = make_world_communicator(), self = make_self_communicator();
  for (const auto& solve : {solve_hops, solve_squares, solve_whole}) {
    const MultiStartSolution many = solve(*world), one = solve(*self);
    EXPECT_EQ(many.best_start, one.best_start);
    EXPECT_EQ(many.is_ambiguous, one.is_ambiguous);
    EXPECT_EQ(many.best.energy, one.best.energy);
    EXPECT_EQ(many.best.coupling.g, one.best.coupling.g);
    EXPECT_EQ(many.bounds->eccentricity, one.bounds->eccentricity);
    EXPECT_EQ(many.bounds->distribution, one.bounds->distribution);
    ASSERT_EQ(many.starts.size(), one.starts.size());
    for (std::size_t s = 0; s < many.starts.size(); ++s) {
      const StartReport &x = many.starts[s], &y = one.starts[s];
      EXPECT_EQ(x.name, y.name);
      EXPECT_EQ(x.merged_into, y.merged_into);
      expect_equal(x.anchor_primal, y.anchor_primal);
      expect_equal(x.anchor_overlap, y.anchor_overlap);
      expect_equal(x.primal, y.primal);
      expect_equal(x.overlap, y.overlap);
      EXPECT_EQ(x.evaluations, y.evaluations);
    }
  }
}

TEST(GromovStartsOnRanks, StopOnAllWhenOneIsTold) {
  const auto world = make_world_communicator();
  const Vector x = values_of(3 * 520, 0.2);
  const SquaredDistances side{{520, 3, std::span<const double>(x)}, 3.0};
  const auto stop = [&]() -> std::optional<StopReason> {
    if (world->rank() == world->size() - 1) return StopReason::time_limit;
    return std::nullopt;
  };
  MultiStartSettings starts;
  starts.anchors = 60;
  const GromovProblem problem{side, side, Vector(520, 1.0 / 520), Vector(520, 1.0 / 520), 0.02};
  const MultiStartSolution solution =
      solve_gromov_from_starts({*world, Precision::float64, test_device(), 0}, problem, starts, {}, stop);
  EXPECT_EQ(solution.best.stop_reason, StopReason::time_limit);
}

}  // namespace
}  // namespace thalweg
