#include "geometry/pair_geometry.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <limits>

#include "pair_problem.hpp"
#include "tests/support/marginals.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::PairProblem;

const Cost all_costs[] = {Cost::sq_euclidean, Cost::euclidean, Cost::manhattan, Cost::cosine,
                          Cost::correlation,  Cost::factored,  Cost::dense};

struct Sizes {
  std::int64_t n, m, d;
};
const Sizes all_sizes[] = {{1, 1, 3},   {31, 257, 5}, {32, 63, 4},  {33, 1, 7}, {63, 65, 3},
                           {64, 64, 8}, {65, 31, 30}, {257, 33, 2}, {1, 32, 3}};

const auto self = make_self_communicator();

double tolerance_of(Precision precision) { return precision == Precision::float64 ? 1e-11 : 3e-5; }

void expect_close(const std::vector<double>& values, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << i;
}
void expect_relative(const std::vector<double>& values, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], expected[i], tolerance * std::abs(expected[i])) << i;
}

/// Calls check(problem, geometry, tolerance) for costs, sizes, precisions and forms; dense takes float costs.
template <class Check>
void for_each_geometry(Check check, double zero_share = 0.0) {
  for (const Cost cost : all_costs)
    for (const Sizes& sizes : all_sizes)
      for (const Precision precision : {Precision::float32, Precision::float64})
        for (const EvaluationForm form : {EvaluationForm::strip, EvaluationForm::two_pass}) {
          SCOPED_TRACE(testing::Message() << "cost " << static_cast<int>(cost) << ' ' << sizes.n << " x " << sizes.m
                                          << (precision == Precision::float64 ? " float64" : " float32")
                                          << (form == EvaluationForm::strip ? " strip" : " two_pass"));
          PairProblem problem(cost, sizes.n, sizes.m, sizes.d, zero_share);
          const auto geometry = problem.geometry(*self, precision, form);
          check(problem, *geometry, cost == Cost::dense ? 3e-5 : tolerance_of(precision));
          if (testing::Test::HasFatalFailure()) return;
        }
}

struct DenseResult {
  std::vector<double> f, row_sums, column_sums;
};

DenseResult dense_update(const PairProblem& problem, double tau, const std::vector<double>& ratio,
                         const std::vector<double>& g) {
  DenseResult result;
  for (std::size_t i = 0; i < ratio.size(); ++i)
    result.f.push_back(tau * problem.epsilon * (ratio[i] - problem.pairs.log_sum(i, g)));
  result.row_sums.assign(ratio.size(), 0.0);
  result.column_sums.assign(g.size(), 0.0);
  for (std::size_t i = 0; i < ratio.size(); ++i)
    for (std::size_t j = 0; j < g.size(); ++j) {
      const double value = problem.pairs.coupling(i, j, result.f, g);
      result.row_sums[i] += value;
      result.column_sums[j] += value;
    }
  return result;
}

TEST(Evaluation, MatchesPlainLoopsForEveryCostSizePrecisionAndForm) {
  for_each_geometry([](const PairProblem& problem, const PairGeometry& geometry, double tolerance) {
    const std::vector<double> g = geometry.representable(problem.potentials(problem.m, 1));
    const std::vector<double> ratio = problem.potentials(problem.n, 2);
    for (const double tau : {1.0, 0.9}) {
      const DenseResult expected = dense_update(problem, tau, ratio, g);
      const Evaluation first = geometry.evaluate({tau, ratio}, {}, g);
      expect_close(first.f, expected.f, tolerance);
      expect_relative(first.column_sums, expected.column_sums, tolerance);
      const Evaluation again = geometry.evaluate({tau, ratio}, first.f, g);
      expect_close(again.f, expected.f, tolerance);
      expect_relative(again.column_sums, expected.column_sums, tolerance);
      EXPECT_EQ(again.fallback_tiles, 0);
      expect_close(geometry.update_rows({tau, ratio}, first.f, g), expected.f, tolerance);
    }
  });
}

TEST(Evaluation, LeavesPointsOfZeroWeightOutOfSumsButGivesTheirPotentials) {
  for_each_geometry(
      [](const PairProblem& problem, const PairGeometry& geometry, double tolerance) {
        const std::vector<double> g = geometry.representable(problem.potentials(problem.m, 1));
        const std::vector<double> ratio = problem.potentials(problem.n, 2);
        const DenseResult expected = dense_update(problem, 1.0, ratio, g);
        const Evaluation evaluation = geometry.evaluate({1.0, ratio}, expected.f, g);
        expect_close(evaluation.f, expected.f, tolerance);
        expect_relative(evaluation.column_sums, expected.column_sums, tolerance);
        const auto sums = testing_support::marginals_of(geometry, evaluation.f, g);
        expect_relative(sums.row_sums, expected.row_sums, 2 * tolerance);
        expect_relative(sums.column_sums, expected.column_sums, 2 * tolerance);
      },
      0.4);
}

TEST(Coupling, SumsProductsAndRowsMatchPlainLoops) {
  for_each_geometry([](const PairProblem& problem, const PairGeometry& geometry, double tolerance) {
    const std::size_t n = static_cast<std::size_t>(problem.n), m = static_cast<std::size_t>(problem.m), width = 7;
    const std::vector<double> f = problem.potentials(problem.n, 3), g = problem.potentials(problem.m, 4);
    const std::vector<double> v = problem.potentials(problem.m * 7, 5), w = problem.potentials(problem.n * 7, 6);
    std::vector<double> rows(n, 0.0), columns(m, 0.0), entropy(n, 0.0), relative(n, 0.0), products(n * width, 0.0),
        transposed(m * width, 0.0), coupling, costs;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < m; ++j) {
        const double p = problem.pairs.coupling(i, j, f, g);
        coupling.push_back(p);
        costs.push_back(problem.pairs.costs[i][j]);
        rows[i] += p;
        columns[j] += p;
        relative[i] += p * std::log(p / (problem.a[i] * problem.b[j]));
        for (std::size_t k = 0; k < width; ++k) products[i * width + k] += p * v[j * width + k];
        for (std::size_t k = 0; k < width; ++k) transposed[j * width + k] += p * w[i * width + k];
      }
      for (std::size_t j = 0; j < m; ++j)
        entropy[i] -= coupling[i * m + j] / rows[i] * std::log(coupling[i * m + j] / rows[i]);
    }
    const auto sums = testing_support::marginals_of(geometry, f, g);
    expect_relative(sums.row_sums, rows, tolerance);
    expect_relative(sums.column_sums, columns, tolerance);
    const std::vector<double> of_rows = geometry.row_sums(geometry.rows(), f, g);
    expect_relative(of_rows, rows, tolerance);
    const RowRange some{problem.n / 3, problem.n - problem.n / 4};
    const auto f_of_some = std::span(f).subspan(static_cast<std::size_t>(some.begin), static_cast<std::size_t>(some.size()));
    EXPECT_EQ(geometry.row_sums(some, f_of_some, g), std::vector<double>(of_rows.begin() + some.begin, of_rows.begin() + some.end));
    const RowStatistics statistics = geometry.row_statistics(f, g);
    expect_relative(statistics.sum, rows, tolerance);
    expect_close(statistics.entropy, entropy, 5 * tolerance);
    expect_close(statistics.relative_entropy, relative, 5 * tolerance);
    expect_close(geometry.apply(f, g, v, 7), products, tolerance);
    expect_close(geometry.apply_transposed(f, g, w, 7), transposed, tolerance);
    expect_relative(geometry.coupling_rows({0, problem.n}, f, g), coupling, 2 * tolerance);
    expect_close(geometry.cost_rows({0, problem.n}), costs, tolerance);
    const std::vector<double> last = geometry.cost_rows({problem.n - 1, problem.n});
    expect_close(last, {costs.end() - problem.m, costs.end()}, tolerance);
  });
}

TEST(ProductCost, IsThatOfPlainLoopsAndLeavesTheSettingsAsTheyWere) {
  for (const Cost cost : all_costs) {
    SCOPED_TRACE(testing::Message() << "cost " << static_cast<int>(cost));
    PairProblem problem(cost, 70, 90, 4, 0.2);
    const auto geometry = problem.geometry(*self, Precision::float64, EvaluationForm::automatic);
    std::vector<double> u = problem.a, w = problem.b;
    for (std::size_t i = 0; i < u.size(); i += 3) u[i] = 0.0;
    for (double& weight : w) weight *= weight;
    double expected = 0.0;
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < w.size(); ++j) expected += u[i] * w[j] * problem.pairs.costs[i][j];
    const std::vector<double> f = problem.potentials(70, 3), g = problem.potentials(90, 4), before = geometry->row_sums(geometry->rows(), f, g);
    EXPECT_NEAR(geometry->product_cost(u, w), expected, 1e-6 * expected);
    EXPECT_EQ(geometry->row_sums(geometry->rows(), f, g), before);
    EXPECT_EQ(geometry->product_cost(std::vector<double>(70, 0.0), w), 0.0);
  }
}

TEST(Apply, HasEveryWidth) {
  PairProblem problem(Cost::sq_euclidean, 70, 90, 4);
  const auto geometry = problem.geometry(*self, Precision::float64, EvaluationForm::automatic);
  const std::vector<double> f = problem.potentials(70, 3), g = problem.potentials(90, 4),
                            v = problem.potentials(90 * 14, 5);
  for (std::int64_t width = 1; width <= 14; ++width) {
    const std::vector<double> products =
        geometry->apply(f, g, std::span(v).first(static_cast<std::size_t>(90 * width)), width);
    for (std::size_t i = 0; i < 70; ++i)
      for (std::size_t w = 0; w < static_cast<std::size_t>(width); ++w) {
        double sum = 0.0;
        for (std::size_t j = 0; j < 90; ++j)
          sum += problem.pairs.coupling(i, j, f, g) * v[j * static_cast<std::size_t>(width) + w];
        ASSERT_NEAR(products[i * static_cast<std::size_t>(width) + w], sum, 1e-12);
      }
  }
}

TEST(CostStatistics, MatchSortedPlainCostsOfPointsWithWeight) {
  for (const double zero_share : {0.0, 0.4})
    for_each_geometry(
        [](const PairProblem& problem, const PairGeometry& geometry, double tolerance) {
          std::vector<double> costs;
          for (std::int64_t i = 0; i < problem.n; ++i)
            for (std::int64_t j = 0; j < problem.m; ++j)
              if (problem.a[static_cast<std::size_t>(i)] > 0.0 && problem.b[static_cast<std::size_t>(j)] > 0.0)
                costs.push_back(problem.raw_cost(i, j));
          std::sort(costs.begin(), costs.end());
          double mean = 0.0;
          for (const double cost : costs) mean += cost / static_cast<double>(costs.size());
          const double median = 0.5 * (costs[(costs.size() - 1) / 2] + costs[costs.size() / 2]);
          EXPECT_NEAR(geometry.cost_statistic(CostStatistic::mean), mean, tolerance * (1.0 + mean));
          EXPECT_NEAR(geometry.cost_statistic(CostStatistic::median), median, tolerance * (1.0 + median));
          EXPECT_NEAR(geometry.cost_statistic(CostStatistic::max), costs.back(), tolerance * (1.0 + costs.back()));
        },
        zero_share);
}

TEST(Fallback, PotentialsFarOffTakeTheLargestExponentsAndGiveTheSameResult) {
  for (const double shift : {-200.0, 200.0, 2000.0})
    for (const EvaluationForm form : {EvaluationForm::strip, EvaluationForm::two_pass})
      for (const Precision precision : {Precision::float32, Precision::float64}) {
        PairProblem problem(Cost::sq_euclidean, 200, 150, 6);
        const auto geometry = problem.geometry(*self, precision, form);
        const std::vector<double> ratio(200, 0.0);
        std::vector<double> g = geometry->representable(problem.potentials(150, 1));
        const Evaluation before = geometry->evaluate({1.0, ratio}, {}, g);
        EXPECT_EQ(before.fallback_tiles, 4);
        for (double& value : g) value += shift * problem.epsilon;
        g = geometry->representable(g);
        const Evaluation after = geometry->evaluate({1.0, ratio}, before.f, g);
        EXPECT_GT(after.fallback_tiles, 0);
        const DenseResult expected = dense_update(problem, 1.0, ratio, g);
        expect_close(after.f, expected.f, 2 * tolerance_of(precision));
        expect_relative(after.column_sums, expected.column_sums, 10 * tolerance_of(precision));
        const std::vector<double> sums = geometry->row_sums({0, 200}, before.f, g);  // far from 1, still exact
        for (std::size_t i = 0; i < 200; ++i) {
          const double log_sum = problem.pairs.log_sum(i, g) + before.f[i] / problem.epsilon + std::log(problem.a[i]);
          if (std::abs(log_sum) > 600) continue;  // beyond doubles
          ASSERT_NEAR(std::log(sums[i]), log_sum, 20 * tolerance_of(precision));
        }
      }
}

TEST(Fallback, RelaxedRowsWhoseMassIsFarFromTheGuessAreSummedAgain) {
  PairProblem problem(Cost::sq_euclidean, 200, 150, 6);
  for (const double offset : {-60.0, 60.0}) {
    const auto geometry = problem.geometry(*self, Precision::float64, EvaluationForm::strip);
    std::vector<double> ratio(200, 0.0), g = problem.potentials(150, 1);
    for (double& value : g) value += offset;
    const DenseResult expected = dense_update(problem, 0.5, ratio, g);
    const Evaluation evaluation = geometry->evaluate({0.5, ratio}, {}, g);
    expect_relative(evaluation.column_sums, expected.column_sums, 1e-11);
  }
}

TEST(SmallEpsilon, ColumnsFarFromAllRowsKeepTheirTinySums) {
  PairProblem problem(Cost::sq_euclidean, 130, 70, 3);
  for (const EvaluationForm form : {EvaluationForm::strip, EvaluationForm::two_pass}) {
    problem.pairs.epsilon = problem.epsilon = 0.004;
    const auto geometry = problem.geometry(*self, Precision::float64, form);
    std::vector<double> ratio(130, 0.0), g(70, 0.0);
    g[3] = -1.0;  // exp(-250) of its share
    const DenseResult expected = dense_update(problem, 1.0, ratio, g);
    ASSERT_LT(expected.column_sums[3], 1e-60);
    expect_relative(geometry->evaluate({1.0, ratio}, {}, g).column_sums, expected.column_sums, 1e-10);
  }
}

TEST(Float64, OfAFloat32GeometryReadsTheSameNumbers) {
  for (const Cost cost : all_costs) {
    PairProblem problem(cost, 100, 80, 5);
    const auto rounded = problem.geometry(*self, Precision::float32, EvaluationForm::automatic);
    const auto exact = rounded->in_float64();
    const std::vector<double> g = rounded->representable(problem.potentials(80, 1)), ratio(100, 0.0);
    const Evaluation evaluation = rounded->evaluate({1.0, ratio}, {}, g);
    const auto sums = testing_support::marginals_of(*exact, evaluation.f, g), own = testing_support::marginals_of(*rounded, evaluation.f, g);
    for (std::size_t i = 0; i < 100; ++i)
      ASSERT_NEAR(sums.row_sums[i], problem.a[i], 4e-6 * problem.a[i]) << static_cast<int>(cost);
    expect_relative(own.row_sums, sums.row_sums, 4e-6);
    expect_relative(evaluation.column_sums, sums.column_sums, 4e-6);
    expect_relative(exact->cost_rows({0, 100}), rounded->cost_rows({0, 100}), 0.0);
    expect_close(rounded->representable(g), g, 1e-14);
  }
}

TEST(Translation, OfAllPointsByAThousandChangesNothing) {
  PairProblem problem(Cost::sq_euclidean, 100, 80, 5);
  std::vector<double> x(problem.x.begin(), problem.x.end()), y(problem.y.begin(), problem.y.end());
  for (double& value : x) value += 1e3;
  for (double& value : y) value += 1e3;
  const auto geometry =
      make_pair_geometry({*self, Precision::float32, test_device(), 0}, {Cost::sq_euclidean,
                                                                       {100, 5, std::span<const double>(x)},
                                                                       {80, 5, std::span<const double>(y)},
                                                                       problem.a,
                                                                       problem.b,
                                                                       {}});
  geometry->set_scale(problem.scale);
  const std::vector<double> costs = geometry->cost_rows({0, 100});
  for (std::size_t i = 0; i < 100; ++i)
    for (std::size_t j = 0; j < 80; ++j)
      ASSERT_NEAR(costs[i * 80 + j], problem.pairs.costs[i][j], 1e-6 * (1.0 + problem.pairs.costs[i][j]));
}

TEST(Euclidean, CostsOfNearlyEqualPointsKeepTheirDigits) {
  PairProblem problem(Cost::euclidean, 64, 64, 3);
  for (std::size_t i = 0; i < problem.x.size(); ++i) problem.y[i] = problem.x[i] + 1e-4f;
  const auto geometry = problem.geometry(*self, Precision::float32, EvaluationForm::automatic);
  geometry->set_reference(std::vector<double>(64, 0.0), std::vector<double>(64, 0.0));
  geometry->set_scale(1.0);
  geometry->set_epsilon(1e-5);
  const std::vector<double> f =
      geometry->update_rows({1.0, std::vector<double>(64, 0.0)}, {}, std::vector<double>(64, 0.0));
  for (std::size_t i = 0; i < 64; ++i) {
    const double cost =
        reference::cost_between(problem.point(problem.x, static_cast<std::int64_t>(i)),
                                problem.point(problem.y, static_cast<std::int64_t>(i)), Cost::euclidean);
    ASSERT_NEAR(f[i], cost, 1e-3 * cost) << i;  // float coordinates near 1 hold differences of 1e-4 to 6e-4
  }
}

TEST(Memory, HoldsNothingOfTheSizeOfAllPairs) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps freed memory";
#endif
  constexpr std::int64_t count = 20'000;  // all pairs in float: 1.6 GB
  const RandomStream random{5, 5};
  std::vector<float> points;
  for (std::int64_t i = 0; i < count * 4; ++i)
    points.push_back(static_cast<float>(random.normal(static_cast<std::uint64_t>(i))));
  const PointSet set{count, 4, std::span<const float>(points)};
  for (const EvaluationForm form : {EvaluationForm::strip, EvaluationForm::two_pass}) {
    const auto geometry = make_pair_geometry({*self, Precision::float32, test_device(), 0},
                                             {Cost::sq_euclidean, set, set, {}, {}, {}}, form);
    geometry->set_epsilon(5.0);
    const std::vector<double> ratio(count, 0.0), g(count, -std::log(static_cast<double>(count)));
    const Evaluation evaluation = geometry->evaluate({1.0, ratio}, {}, g);
    geometry->apply(evaluation.f, g, std::vector<double>(count, 1.0), 1);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 400 * 1024) << "KiB";
}

TEST(BadPoints, AreNamedByTheirRow) {
  for (const Cost cost : {Cost::cosine, Cost::correlation, Cost::sq_euclidean}) {
    PairProblem problem(cost, 5, 6, 3);
    for (int k = 0; k < 3; ++k)
      problem.y[static_cast<std::size_t>(9 + k)] = cost == Cost::sq_euclidean ? std::numeric_limits<float>::quiet_NaN()
                                                   : cost == Cost::cosine     ? 0.0f
                                                                              : 2.0f;
    try {
      problem.geometry(*self, Precision::float32, EvaluationForm::automatic);
      FAIL();
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("row 3 of the target points"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace thalweg
