#include "solvers/gromov/row_softmin.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

constexpr double mass_tolerance = 1e-9;

void check_weights(const std::vector<double>& weights, std::int64_t count, const std::string& side) {
  if (static_cast<std::int64_t>(weights.size()) != count)
    throw DataError(std::to_string(weights.size()) + " " + side + " weights for " + std::to_string(count) +
                    " cells; one weight a cell is needed");
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!(weights[i] >= 0.0) || std::isinf(weights[i]))
      throw DataError("weight of row " + std::to_string(i) + " of the " + side + " is " + shortest_number(weights[i]) +
                      "; weights are finite and not negative; drop the cell or set its weight to 0");
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (std::abs(sum - 1.0) > mass_tolerance)
    throw DataError("weights of the " + side + " sum to " + shortest_number(sum) +
                    "; those of a semi-relaxed problem sum to 1; normalise them");
}

std::vector<double> logs_of(const std::vector<double>& values) {
  std::vector<double> logs(values.size());
  std::transform(values.begin(), values.end(), logs.begin(), [](double value) { return std::log(value); });
  return logs;
}

/// @param plain_entropy   sum P log(P / (a b))
void set_values(const Communicator& comm, const GromovProblem& problem, RowRange rows, double plain_entropy,
                SinkhornSolution& solution) {
  const auto a = std::span(problem.a).subspan(static_cast<std::size_t>(rows.begin), solution.f.size());
  std::vector<double> terms;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double f = a[i] > 0.0 ? solution.f[i] : 0.0, sum = solution.row_sums[i];
    terms.insert(terms.end(), {sum, a[i] * f, sum * f, std::abs(sum - a[i])});
  }
  const std::vector<double> totals = ordered_sums(comm, terms, 4);
  solution.mass = totals[0];
  solution.dual = totals[1];
  solution.cost = totals[2] - solution.epsilon * plain_entropy;
  solution.error_source = totals[3];
  solution.error_target = 0.0;  // of weights that are free
  solution.relative_entropy = plain_entropy - solution.mass + 1.0;
  solution.primal = solution.upper = solution.cost + solution.epsilon * solution.relative_entropy;
  solution.gap = solution.upper - solution.dual;
}

}  // namespace

SinkhornSolution row_softmin(const Context& context, const GromovProblem& problem, PairGeometry& geometry,
                             double epsilon) {
  const Communicator& comm = context.comm;
  check_weights(problem.a, geometry.num_rows(), "source");
  check_weights(problem.b, geometry.num_columns(), "target");
  const RowRange rows = geometry.rows();
  SinkhornSolution solution;
  solution.epsilon = epsilon;
  solution.log_alpha = logs_of(problem.a);
  solution.log_beta = logs_of(problem.b);
  const std::unique_ptr<PairGeometry> copy = context.precision == Precision::float32 ? geometry.in_float64() : nullptr;
  PairGeometry& exact = copy ? *copy : geometry;
  for (PairGeometry* each : {&geometry, &exact}) {
    each->set_reference(solution.log_alpha, solution.log_beta);
    each->set_epsilon(epsilon);
  }
  const std::vector<double> no_ratio(static_cast<std::size_t>(rows.size()), 0.0);
  solution.g.assign(problem.b.size(), 0.0);
  Evaluation evaluation = exact.evaluate({1.0, no_ratio}, {}, solution.g);
  solution.f = std::move(evaluation.f);
  solution.column_sums = std::move(evaluation.column_sums);
  RowStatistics statistics = exact.row_statistics(solution.f, solution.g);
  solution.row_sums = std::move(statistics.sum);

  set_values(comm, problem, rows, ordered_sum(comm, statistics.relative_entropy), solution);
  solution.evaluations = solution.evaluations_float64 = 1;
  return solution;
}

}  // namespace thalweg
