// Products and solves on any number of ranks give the bits of one rank.
#include <gtest/gtest.h>

#include "solvers/gromov/row_product.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// 700 and 1100 rows: ragged tiles, a rank of four without rows, two blocks of the depth.
Vector values_of(std::int64_t rows, std::int64_t columns, double phase) {
  Vector values;
  for (std::int64_t k = 0; k < rows * columns; ++k) values.push_back(std::sin(phase + 0.37 * static_cast<double>(k)));
  return values;
}

template <class T>
std::vector<T> part_of(const Communicator& comm, const Vector& all, std::int64_t rows, std::int64_t columns) {
  const RowRange own = Partition(rows, comm.size(), block_rows).rows_of(comm.rank());
  return {all.begin() + own.begin * columns, all.begin() + own.end * columns};
}

template <class Scalar>
void expect_product(std::int64_t n, std::int64_t k, std::int64_t m, double tolerance) {
  const auto world = make_world_communicator();
  const Vector a = values_of(n, k, 0.3), b = values_of(k, m, 1.1);
  const auto own_a = part_of<Scalar>(*world, a, n, k), own_b = part_of<Scalar>(*world, b, k, m);
  const Vector c =
      product_of_rows<Scalar>(*world, OwnedRows<Scalar>{n, k, own_a, 2.0}, OwnedRows<Scalar>{k, m, own_b, 4.0});
  const RowRange rows = Partition(n, world->size(), block_rows).rows_of(world->rank());
  ASSERT_EQ(c.size(), static_cast<std::size_t>(rows.size() * m));
  for (std::int64_t i = rows.begin; i < rows.end; i += 17)
    for (std::int64_t j = 0; j < m; j += 7) {
      double sum = 0.0, size = 0.0;
      for (std::int64_t l = 0; l < k; ++l) {
        const double term = a[static_cast<std::size_t>(i * k + l)] * b[static_cast<std::size_t>(l * m + j)] / 8.0;
        sum += term;
        size += std::abs(term);
      }
      EXPECT_NEAR(c[static_cast<std::size_t>((i - rows.begin) * m + j)], sum, tolerance * size);
    }
  const auto self = make_self_communicator();
  const std::vector<Scalar> all_a(a.begin(), a.end()), all_b(b.begin(), b.end());
  const Vector alone =
      product_of_rows<Scalar>(*self, OwnedRows<Scalar>{n, k, all_a, 2.0}, OwnedRows<Scalar>{k, m, all_b, 4.0});
  EXPECT_EQ(c, part_of<double>(*world, alone, n, m));
}

TEST(GromovOnRanks, MultipliesAsPlainLoopsDo) {
  expect_product<double>(700, 1100, 37, 1e-13);
  expect_product<double>(3, 1, 5, 1e-13);
  expect_product<float>(700, 1100, 37, 1e-5);
}

struct Hops {
  std::int64_t size = 0;
  std::vector<std::uint8_t> values;
  Vector weights;
};

/// Small whole distances between points of a bent line.
Hops hops_of(std::int64_t size, double bend) {
  Hops side{size, {}, {}};
  for (std::int64_t i = 0; i < size; ++i) {
    side.weights.push_back(1.0 + static_cast<double>(i % 3));
    for (std::int64_t k = 0; k < size; ++k) {
      const double x = static_cast<double>(i) / static_cast<double>(size),
                   y = static_cast<double>(k) / static_cast<double>(size);
      side.values.push_back(static_cast<std::uint8_t>(std::round(6.0 * std::abs(x - y + bend * (x * x - y * y)))));
    }
  }
  const double sum = std::accumulate(side.weights.begin(), side.weights.end(), 0.0);
  for (double& weight : side.weights) weight /= sum;
  return side;
}

/// What differs from the plain problem of stored costs.
struct Kind {
  GromovMode mode = GromovMode::balanced;
  Regularisation regularisation = Regularisation::entropy;
  GromovAlgorithm algorithm = GromovAlgorithm::mirror;
  bool is_fused = true;
};

GromovSolution solve_kind(const Communicator& comm, Precision precision, const Kind& kind) {
  const Hops x = hops_of(520, 0.2), y = hops_of(300, 0.4);
  const auto rows = [&](const Hops& side) {
    const RowRange own = Partition(side.size, comm.size(), block_rows).rows_of(comm.rank());
    return std::vector<std::uint8_t>(side.values.begin() + own.begin * side.size,
                                     side.values.begin() + own.end * side.size);
  };
  const auto a = rows(x), b = rows(y);
  GromovSettings settings;
  settings.epsilon_decay = 0.6;
  settings.inner_tolerance = precision == Precision::float32 ? 1e-5 : 1e-6;
  settings.algorithm = kind.algorithm;
  if (kind.is_fused) settings.max_outer = 4;
  const Vector u = values_of(x.size, 2, 0.5), v = values_of(y.size, 2, 0.6);
  GromovProblem problem{StoredIntraCosts{x.size, std::span(a), 6.0}, StoredIntraCosts{y.size, std::span(b), 6.0},
                        x.weights, y.weights, 0.02};
  problem.mode = kind.mode;
  problem.regularisation = kind.regularisation;
  if (kind.is_fused) {
    problem.alpha = 0.7;
    problem.linear = SharedFeatures{{x.size, 2, std::span<const double>(u)}, {y.size, 2, std::span<const double>(v)}};
  }
  return solve_gromov({comm, precision, test_device(), 0}, problem, settings);
}

GromovSolution solve_hops(const Communicator& comm, Precision precision) {
  Kind plain;
  plain.is_fused = false;
  return solve_kind(comm, precision, plain);
}

GromovSolution solve_squares(const Communicator& comm, Precision precision) {
  const Vector x = values_of(520, 3, 0.2), y = values_of(300, 2, 0.9);
  GromovSettings settings;
  settings.epsilon_decay = 0.6;
  settings.inner_tolerance = precision == Precision::float32 ? 1e-5 : 1e-6;
  return solve_gromov({comm, precision, test_device(), 0},
                      {SquaredDistances{{520, 3, std::span<const double>(x)}, 3.0},
                       SquaredDistances{{300, 2, std::span<const double>(y)}, 2.0}, Vector(520, 1.0 / 520),
                       Vector(300, 1.0 / 300), 0.02},
                      settings);
}

TEST(GromovOnRanks, StopsOnAllWhenOneIsTold) {
  const auto world = make_world_communicator();
  const Vector x = values_of(520, 3, 0.2);
  const SquaredDistances side{{520, 3, std::span<const double>(x)}, 3.0};
  const auto stop = [&]() -> std::optional<StopReason> {
    if (world->rank() == world->size() - 1) return StopReason::time_limit;
    return std::nullopt;
  };
  const GromovProblem problem{side, side, Vector(520, 1.0 / 520), Vector(520, 1.0 / 520), 0.02};
  const GromovSolution solution = solve_gromov({*world, Precision::float64, test_device(), 0}, problem, {}, {}, stop);
  EXPECT_EQ(solution.stop_reason, StopReason::time_limit);
  EXPECT_EQ(solution.outer, 1);
}

TEST(GromovOnRanks, HasTheBitsOfOneRank) {
  const auto world = make_world_communicator(), self = make_self_communicator();
  for (const Precision precision : {Precision::float32, Precision::float64})
    for (const auto& solve : {solve_hops, solve_squares}) {
      const GromovSolution many = solve(*world, precision), one = solve(*self, precision);
      EXPECT_EQ(many.stop_reason, StopReason::converged);
      EXPECT_EQ(many.energy, one.energy);
      EXPECT_EQ(many.gap, one.gap);
      EXPECT_EQ(many.outer, one.outer);
      EXPECT_EQ(many.coupling.g, one.coupling.g);
      EXPECT_EQ(world->all_gather(std::span<const double>(many.coupling.f)), one.coupling.f);
    }
}

void expect_bits_of_one_rank(Precision precision, const Kind& kind) {
  const auto world = make_world_communicator(), self = make_self_communicator();
  const GromovSolution many = solve_kind(*world, precision, kind), one = solve_kind(*self, precision, kind);
  EXPECT_EQ(many.stop_reason, one.stop_reason);
  EXPECT_LT(one.primal, one.history.front().primal);
  EXPECT_EQ(many.primal, one.primal);
  EXPECT_EQ(many.energy_gw, one.energy_gw);
  EXPECT_EQ(many.energy_linear, one.energy_linear);
  EXPECT_EQ(many.gap, one.gap);
  EXPECT_EQ(many.outer, one.outer);
  EXPECT_EQ(many.coupling.mass, one.coupling.mass);
  EXPECT_EQ(many.coupling.g, one.coupling.g);
  EXPECT_EQ(world->all_gather(std::span<const double>(many.coupling.row_sums)), one.coupling.row_sums);
}

TEST(GromovOnRanks, HasTheBitsOfOneRankForEveryKindOfProblem) {
  for (const Precision precision : {Precision::float32, Precision::float64})
    for (const GromovMode mode : {GromovMode::balanced, GromovMode::semi_relaxed, GromovMode::unbalanced})
      expect_bits_of_one_rank(precision, {mode});
  for (const GromovMode mode : {GromovMode::balanced, GromovMode::semi_relaxed})
    expect_bits_of_one_rank(Precision::float64, {mode, Regularisation::proximal});
  expect_bits_of_one_rank(Precision::float64,
                          {GromovMode::balanced, Regularisation::entropy, GromovAlgorithm::frank_wolfe});
}

}  // namespace
}  // namespace thalweg
