// Points that no rank holds whole: the results are those of points that every rank holds.
#include <gtest/gtest.h>

#include <limits>

#include "pair_problem.hpp"
#include "tests/support/counted_memory.hpp"
#include "tests/support/marginals.hpp"

namespace thalweg {
namespace {

using testing_support::PairProblem;

std::unique_ptr<Communicator> world() { return make_world_communicator(); }

void expect_near(const std::vector<double>& values, const std::vector<double>& expected, double tolerance = 1e-12) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << i;
}

/// Calls check(problem, ring, replicated) for one problem, on ranks that own much, little and nothing.
template <class Check>
void check_pair(PairProblem problem, Precision precision, bool holds_all, const Check& check) {
  SCOPED_TRACE(testing::Message() << problem.n << " x " << problem.m << " cost " << static_cast<int>(problem.cost)
                                  << (precision == Precision::float64 ? " float64" : " float32")
                                  << (holds_all ? " of all points" : " of own points"));
  const auto comm = world();
  const auto whole = problem.geometry(*comm, precision, EvaluationForm::two_pass);
  const auto ring = problem.geometry(*comm, precision, EvaluationForm::ring, holds_all);
  ASSERT_EQ(ring->rows(), whole->rows());
  check(problem, *ring, *whole);
}

template <class Check>
void for_each_pair(const Check& check) {
  constexpr bool no_reference = false;
  for (const Precision precision : {Precision::float32, Precision::float64}) {
    for (const Cost cost : {Cost::euclidean, Cost::manhattan, Cost::correlation, Cost::factored})
      check_pair({cost, 300, 1700, 4, 0.2, no_reference}, precision, false, check);
    check_pair({Cost::dense, 300, 600, 4, 0.2, no_reference}, precision, true, check);
    for (const auto& [n, m] : {std::pair<std::int64_t, std::int64_t>{1, 300}, {3300, 65}, {1600, 1537}})
      for (const bool holds_all : {true, false})
        check_pair({Cost::sq_euclidean, n, m, 4, 0.2, no_reference}, precision, holds_all, check);
  }
}

TEST(Ring, EvaluatesAsReplicatedPointsDo) {
  for_each_pair([](const PairProblem& problem, PairGeometry& ring, PairGeometry& whole) {
    const std::vector<double> f = problem.owned(whole, problem.potentials(problem.n, 3));
    const std::vector<double> g = whole.representable(problem.potentials(problem.m, 1));
    EXPECT_EQ(ring.representable(problem.potentials(problem.m, 1)), g);
    for (const bool is_known : {true, false}) {
      const std::vector<double> before = is_known ? f : std::vector<double>{};
      const Evaluation expected = whole.evaluate({0.9, f}, before, g), evaluation = ring.evaluate({0.9, f}, before, g);
      expect_near(evaluation.f, expected.f);
      expect_near(evaluation.column_sums, expected.column_sums);
      EXPECT_EQ(evaluation.fallback_tiles, expected.fallback_tiles);
      expect_near(ring.update_rows({0.9, f}, before, g), whole.update_rows({0.9, f}, before, g));
    }
  });
}

TEST(Ring, SumsAndMultipliesAsReplicatedPointsDo) {
  for_each_pair([](const PairProblem& problem, PairGeometry& ring, PairGeometry& whole) {
    const std::vector<double> f = problem.owned(whole, problem.potentials(problem.n, 3));
    const std::vector<double> g = problem.potentials(problem.m, 1), v = problem.potentials(problem.m * 3, 5);
    const std::vector<double> w = problem.owned(whole, problem.potentials(problem.n * 3, 6), 3);
    const RowStatistics of_rows = ring.row_statistics(f, g), of_whole = whole.row_statistics(f, g);
    expect_near(of_rows.sum, of_whole.sum);
    expect_near(of_rows.entropy, of_whole.entropy);
    expect_near(of_rows.relative_entropy, of_whole.relative_entropy);
    expect_near(ring.row_sums(ring.rows(), f, g), whole.row_sums(whole.rows(), f, g));
    const std::vector<double> a = problem.owned(whole, problem.a);
    EXPECT_NEAR(ring.product_cost(a, problem.b), whole.product_cost(a, problem.b), 1e-12 * whole.product_cost(a, problem.b));
    expect_near(ring.apply(f, g, v, 3), whole.apply(f, g, v, 3));
    expect_near(ring.apply_transposed(f, g, w, 3), whole.apply_transposed(f, g, w, 3));
    for (const CostStatistic which : {CostStatistic::mean, CostStatistic::median, CostStatistic::max})
      EXPECT_NEAR(ring.cost_statistic(which), whole.cost_statistic(which), 1e-14 * whole.cost_statistic(which));
  });
}

TEST(Ring, GivesRowsOfCostsAndCouplingEqualToTheBit) {
  for_each_pair([](const PairProblem& problem, PairGeometry& ring, PairGeometry& whole) {
    const std::vector<double> f = problem.potentials(problem.n, 3), g = problem.potentials(problem.m, 1);
    const RowRange own = whole.rows(), some{own.begin, std::min(own.begin + 3, own.end)};
    EXPECT_EQ(ring.cost_rows(some), whole.cost_rows(some));
    const auto of_rows =
        std::span(f).subspan(static_cast<std::size_t>(some.begin), static_cast<std::size_t>(some.size()));
    EXPECT_EQ(ring.coupling_rows(some, of_rows, g), whole.coupling_rows(some, of_rows, g));
  });
}

TEST(Ring, ReadsTheSameNumbersInFloat64) {
  for_each_pair([](const PairProblem& problem, PairGeometry& ring, PairGeometry& whole) {
    const auto exact_ring = ring.in_float64(), exact = whole.in_float64();
    const std::vector<double> f = problem.owned(whole, problem.potentials(problem.n, 3));
    const std::vector<double> g = problem.potentials(problem.m, 1);
    expect_near(testing_support::marginals_of(*exact_ring, f, g).row_sums, testing_support::marginals_of(*exact, f, g).row_sums);
    expect_near(testing_support::marginals_of(*exact_ring, f, g).column_sums, testing_support::marginals_of(*exact, f, g).column_sums);
  });
}

TEST(Ring, BadShiftsOnOneRankAloneAreReplacedOnIt) {
  const auto comm = world();
  for (const Precision precision : {Precision::float32, Precision::float64}) {
    PairProblem problem(Cost::sq_euclidean, 1100, 1700, 4, 0.0, false);
    const auto whole = problem.geometry(*comm, precision, EvaluationForm::two_pass);
    const auto ring = problem.geometry(*comm, precision, EvaluationForm::ring, false);
    std::vector<double> before = problem.potentials(problem.n, 3);
    before[0] += 4000 * problem.epsilon;
    const std::vector<double> f = problem.owned(*whole, before),
                              g = whole->representable(problem.potentials(problem.m, 1));
    const std::vector<double> ratio(f.size(), 0.0);
    const Evaluation expected = whole->evaluate({1.0, ratio}, f, g), evaluation = ring->evaluate({1.0, ratio}, f, g);
    EXPECT_EQ(evaluation.fallback_tiles, 1);
    EXPECT_EQ(expected.fallback_tiles, 1);
    expect_near(evaluation.f, expected.f);
    expect_near(evaluation.column_sums, expected.column_sums);
  }
}

TEST(Ring, HasTheSameBitsOnAnyNumberOfRanks) {
  const auto comm = world(), self = make_self_communicator();
  for (const auto& [n, m] : {std::pair<std::int64_t, std::int64_t>{300, 1700}, {3300, 65}, {1600, 4000}})
    for (const Precision precision : {Precision::float32, Precision::float64}) {
      PairProblem problem(Cost::sq_euclidean, n, m, 4, 0.2, false);
      const auto spread = problem.geometry(*comm, precision, EvaluationForm::ring, false);
      const auto alone = problem.geometry(*self, precision, EvaluationForm::ring, false);
      const std::vector<double> f = problem.potentials(n, 3), g = problem.potentials(m, 1),
                                v = problem.potentials(m, 5);
      const std::vector<double> mine = problem.owned(*spread, f);
      const Evaluation expected = alone->evaluate({0.9, f}, f, g), evaluation = spread->evaluate({0.9, mine}, mine, g);
      EXPECT_EQ(evaluation.f, problem.owned(*spread, expected.f));
      EXPECT_EQ(evaluation.column_sums, expected.column_sums);
      EXPECT_EQ(spread->apply(mine, g, v, 1), problem.owned(*spread, alone->apply(f, g, v, 1)));
      EXPECT_EQ(spread->cost_statistic(CostStatistic::mean), alone->cost_statistic(CostStatistic::mean));
    }
}

TEST(Ring, BlocksTooLargeToPassWholePassInPieces) {
  const auto comm = world();
  PairProblem problem(Cost::sq_euclidean, 3, 4700, 700, 0.2, false);  // two parts in float64 have more than 16 MiB
  const auto whole = problem.geometry(*comm, Precision::float64, EvaluationForm::two_pass);
  const auto ring = problem.geometry(*comm, Precision::float64, EvaluationForm::ring, false);
  const std::vector<double> f = problem.owned(*whole, problem.potentials(3, 3)), g = problem.potentials(problem.m, 1);
  expect_near(testing_support::marginals_of(*ring, f, g).row_sums, testing_support::marginals_of(*whole, f, g).row_sums);
  expect_near(testing_support::marginals_of(*ring, f, g).column_sums, testing_support::marginals_of(*whole, f, g).column_sums);
  EXPECT_EQ(ring->cost_rows(ring->rows()), whole->cost_rows(whole->rows()));
}

TEST(Ring, IsTakenForOwnPointsAndOthersRefuseThem) {
  const auto comm = world();
  PairProblem problem(Cost::sq_euclidean, 600, 300, 4, 0.0, false);
  EXPECT_TRUE(problem.geometry(*comm, Precision::float64, EvaluationForm::automatic, false)->is_ring());
  EXPECT_FALSE(problem.geometry(*comm, Precision::float64, EvaluationForm::automatic)->is_ring());
  EXPECT_THROW(problem.geometry(*comm, Precision::float64, EvaluationForm::strip, false), ConfigError);
}

TEST(Ring, ABadPointOfOneRankEndsAllAndIsNamedByItsRow) {
  const auto comm = world();
  PairProblem problem(Cost::sq_euclidean, 1100, 300, 3, 0.0, false);
  problem.x[3 * 1099 + 1] = std::numeric_limits<float>::quiet_NaN();
  try {
    problem.geometry(*comm, Precision::float32, EvaluationForm::ring, false);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("row 1099 of the source points"), std::string::npos) << error.what();
  }
}

TEST(Ring, HoldsAShareOfThePoints) {
  const auto comm = world();
  const std::int64_t n = 6144, d = 200;  // points far larger than vectors of one number a point
  const RowRange own = own_points(n, *comm);
  std::vector<float> x(static_cast<std::size_t>(own.size() * d));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>((i * 7919 + 13 * static_cast<std::size_t>(own.begin)) % 1000) / 1000.0f;
  const std::vector<double> weights(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n)),
      logs(weights.size(), std::log(weights[0])), g(weights.size(), 0.0);
  const std::vector<double> ratio(static_cast<std::size_t>(own.size()), 0.0);
  const PointSet points{n, d, std::span<const float>(x), own};
  const std::int64_t before = live_bytes;
  peak_bytes = before;
  const auto geometry = make_pair_geometry({*comm, Precision::float32, Device::cpu, 0},
                                           {Cost::sq_euclidean, points, points, weights, weights, {}});
  geometry->set_reference(logs, logs);
  geometry->set_scale(geometry->cost_statistic(CostStatistic::mean));
  geometry->evaluate({1.0, ratio}, {}, g);
  // Both sides, the scaled source twice while it is made anew, or once and two pieces on their way; parts of 1536
  // columns make blocks uneven.
  const std::int64_t held = own.size() + 1536, of_points = 4 * d * 5 * held, of_vectors = 2 * 120 * n;
  EXPECT_LT(peak_bytes - before, of_points + of_vectors);
  EXPECT_LT(of_points + of_vectors,
            comm->size() < 4 ? std::numeric_limits<std::int64_t>::max() : 4 * d * 3 * n);  // replicated
}

}  // namespace
}  // namespace thalweg
