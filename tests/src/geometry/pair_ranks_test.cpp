// The same bytes on any number of ranks.
#include <gtest/gtest.h>

#include "pair_problem.hpp"

namespace thalweg {
namespace {

using testing_support::PairProblem;

void expect_equal_bits(const Communicator& world, PairProblem& problem, Precision precision, EvaluationForm form) {
  const auto self = make_self_communicator();
  const auto spread = problem.geometry(world, precision, form);
  std::vector<float> own_dense = problem.dense;
  const auto whole = problem.geometry(*self, precision, form);
  const std::vector<double> f = problem.potentials(problem.n, 3), g = problem.potentials(problem.m, 1);
  const std::vector<double> v = problem.potentials(problem.m * 3, 5), w = problem.potentials(problem.n * 3, 6);
  const auto mine = [&](const std::vector<double>& values, std::int64_t width = 1) {
    return problem.owned(*spread, values, width);
  };
  for (const double tau : {1.0, 0.9}) {
    Evaluation expected = whole->evaluate({tau, f}, f, g), evaluation = spread->evaluate({tau, mine(f)}, mine(f), g);
    EXPECT_EQ(evaluation.f, mine(expected.f));
    EXPECT_EQ(evaluation.column_sums, expected.column_sums);
    EXPECT_EQ(evaluation.fallback_tiles, expected.fallback_tiles);
  }
  EXPECT_EQ(spread->apply(mine(f), g, v, 3), mine(whole->apply(f, g, v, 3), 3));
  EXPECT_EQ(spread->apply_transposed(mine(f), g, mine(w, 3), 3), whole->apply_transposed(f, g, w, 3));
  EXPECT_EQ(spread->row_statistics(mine(f), g).entropy, mine(whole->row_statistics(f, g).entropy));
  EXPECT_EQ(spread->row_sums(spread->rows(), mine(f), g), mine(whole->row_sums(whole->rows(), f, g)));
  EXPECT_EQ(spread->product_cost(mine(problem.a), problem.b), whole->product_cost(problem.a, problem.b));
  for (const CostStatistic which : {CostStatistic::mean, CostStatistic::median, CostStatistic::max})
    EXPECT_EQ(spread->cost_statistic(which), whole->cost_statistic(which));
}

TEST(PairGeometry, HasTheSameBitsOnAnyNumberOfRanks) {
  const auto world = make_world_communicator();
  for (const auto& [n, m] : {std::pair<std::int64_t, std::int64_t>{1, 300}, {700, 300}, {300, 1100}, {1100, 65}})
    for (const Cost cost : {Cost::sq_euclidean, Cost::euclidean, Cost::dense})
      for (const Precision precision : {Precision::float32, Precision::float64})
        for (const EvaluationForm form : {EvaluationForm::strip, EvaluationForm::two_pass}) {
          SCOPED_TRACE(testing::Message() << n << " x " << m << " cost " << static_cast<int>(cost)
                                          << (form == EvaluationForm::strip ? " strip" : " two_pass"));
          PairProblem problem(cost, n, m, 4, 0.2);
          expect_equal_bits(*world, problem, precision, form);
        }
}

}  // namespace
}  // namespace thalweg
