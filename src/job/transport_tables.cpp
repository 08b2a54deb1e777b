#include "job/transport_tables.hpp"

#include <algorithm>
#include <cmath>

#include "job/quantity_table.hpp"
#include "job/run_record.hpp"

namespace thalweg {

namespace {

/// Positions of the categories that some cell has.
std::vector<std::size_t> present(const CellSide& side) {
  std::vector<std::int64_t> counts(side.categories.size(), 0);
  for (const std::int32_t label : side.labels)
    if (label >= 0) ++counts[static_cast<std::size_t>(label)];
  std::vector<std::size_t> positions;
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (counts[k] > 0) positions.push_back(k);
  return positions;
}

double relative_gap(const SinkhornSolution& solution) {
  const double size = std::max(std::abs(solution.primal), std::abs(solution.dual));
  return size > 0.0 ? solution.gap / size : 0.0;
}

void add_problem(const TransportResult& result, QuantityTable& report) {
  const SinkhornProblem& problem = result.problem.problem;
  report.add("n", result.sides.source.num_cells, "source cells");
  report.add("m", result.sides.target.num_cells, "target cells");
  report.add("scale", result.problem.geometry->scale(), "divisor of the costs");
  report.add("mean_cost", result.problem.mean_cost, "over pairs, before scaling");
  report.add("epsilon", problem.epsilon, "in units of the scaled cost");
  report.add("lambda1", problem.lambda1, "penalty of the source marginal, inf: exact");
  report.add("lambda2", problem.lambda2, "penalty of the target marginal, inf: exact");
  report.add("tau_a", result.problem.tau1, "lambda1 / (lambda1 + epsilon)");
  report.add("tau_b", result.problem.tau2, "lambda2 / (lambda2 + epsilon)");
}

void add_values(const SinkhornSolution& solution, QuantityTable& report) {
  report.add("cost", solution.cost, "<C, P>, scaled");
  report.add("primal", solution.primal, "F = <C, P> + epsilon KL(P | R) + penalties");
  report.add("dual", solution.dual, "D, a lower bound of the optimum");
  report.add("upper", solution.upper, "F of a feasible coupling, an upper bound");
  report.add("gap", solution.gap, "upper - dual");
  report.add("relative_gap", relative_gap(solution), "gap / max(|F|, |D|)");
  report.add("mass", solution.mass, "of P");
  report.add("relative_entropy", solution.relative_entropy, "KL(P | R)");
  report.add("penalty_source", solution.marginal_penalty_source, "lambda1 KL(P 1 | a); 0 where exact");
  report.add("penalty_target", solution.marginal_penalty_target, "lambda2 KL(P^T 1 | b); 0 where exact");
  report.add("entropy", solution.entropy, "-sum P log P");
}

void add_errors(const SinkhornSolution& solution, QuantityTable& report) {
  report.add("marginal_error_source", solution.error_source, "L1 distance to the demanded marginal / its mass, float64");
  report.add("marginal_error_target", solution.error_target, "the same of the targets");
  report.add("max_marginal_error", solution.max_marginal_error, "of a single cell");
  report.add("smallest_row_ratio", solution.smallest_row_ratio, "smallest r_i / a_i");
}

void add_work(const SinkhornSolution& solution, QuantityTable& report) {
  report.add("evaluations", solution.evaluations, "of all pairs of cells");
  report.add("evaluations_float32", solution.evaluations - solution.evaluations_float64, "of them in float32");
  report.add("evaluations_float64", solution.evaluations_float64, "of them in float64");
  report.add("fallback_tiles", solution.fallback_tiles, "tiles that needed the maximum of their exponents first");
  report.add("restarts", solution.restarts, "of the acceleration");
  report.add("seconds", solution.seconds, "of the solve");
  report.add("bytes_sent", solution.bytes_sent, "by rank 0 in the solve");
}

ConvergenceRow row_of(const std::string& pair, const SinkhornRecord& check) {
  ConvergenceRow row;
  row.problem = pair;
  row.stage = "solve";
  row.level = check.level;
  row.inner = check.evaluation;
  row.epsilon = check.epsilon;
  row.dual = check.dual;
  row.marginal_error_source = 0.0;  // by the form of f
  row.marginal_error_target = check.error;
  row.seconds = check.seconds;
  row.stop_reason = check.stop_reason;
  row.extra = {check.mode, check.residual, check.is_accelerated ? 1.0 : 0.0, check.is_restart ? 1.0 : 0.0};
  return row;
}

}  // namespace

Table transport_table(const TransportResult& result) {
  QuantityTable report;
  add_problem(result, report);
  add_values(result.solution, report);
  add_errors(result.solution, report);
  add_work(result.solution, report);
  if (result.divergence) {
    report.add("divergence", result.divergence->value, "Sinkhorn divergence");
    report.add("self_source", result.divergence->self_source, "D of the source side with itself");
    report.add("self_target", result.divergence->self_target, "D of the target side with itself");
    report.add("divergence_resolution", result.divergence->resolution, "sum of the gaps of the three problems");
  }
  return std::move(report).table();
}

ConvergenceTable transport_convergence(const std::string& pair, const SinkhornSolution& solution) {
  ConvergenceTable table({"mode", "rho", "anderson", "restart"});
  for (const SinkhornRecord& check : solution.history) table.add(row_of(pair, check));
  if (is_stop_request(solution.stop_reason)) return table;
  ConvergenceRow last;
  last.problem = pair;
  last.stage = "result";
  last.inner = solution.evaluations;
  last.epsilon = solution.epsilon;
  last.objective = solution.cost;
  last.primal = solution.primal;
  last.dual = solution.dual;
  last.gap = solution.gap;
  last.marginal_error_source = solution.error_source;
  last.marginal_error_target = solution.error_target;
  last.seconds = solution.seconds;
  last.stop_reason = solution.stop_reason;
  last.extra = {"float64"};
  table.add(std::move(last));
  return table;
}

ConvergenceHistory transport_curves(const SinkhornSolution& solution, double tolerance) {
  ConvergenceHistory history;
  history.title = "Entropic transport";
  history.x_label = "evaluation";
  history.objectives = {{"dual value", {}, {}}};
  history.residuals = {{"error of the column sums", {}, {}}, {"residual of g", {}, {}}};
  history.tolerance = tolerance;
  std::int64_t level = -1;
  for (const SinkhornRecord& check : solution.history) {
    const auto x = static_cast<double>(check.evaluation);
    if (check.level != level) history.boundaries.push_back({x, "epsilon " + significant(check.epsilon)});
    level = check.level;
    const double values[] = {check.dual, check.error, check.residual};
    for (std::size_t c = 0; c < 3; ++c) {
      ConvergenceCurve& curve = c == 0 ? history.objectives[0] : history.residuals[c - 1];
      curve.x.push_back(x);
      curve.y.push_back(values[c]);
    }
  }
  return history;
}

IndexRow transport_index(const TransportResult& result, const std::string& file) {
  const SinkhornSolution& solution = result.solution;
  IndexRow row;
  row.pair = result.sides.pair;
  row.source = result.sides.source.name;
  row.target = result.sides.target.name;
  row.n = result.sides.source.num_cells;
  row.m = result.sides.target.num_cells;
  row.mass = solution.mass;
  row.cost = solution.cost;
  row.primal = solution.primal;
  row.dual = solution.dual;
  row.gap = solution.gap;
  row.marginal_error_source = solution.error_source;
  row.marginal_error_target = solution.error_target;
  row.iterations = solution.evaluations;
  row.stop_reason = solution.stop_reason;
  row.seconds = solution.seconds;
  row.peak_gib = static_cast<double>(peak_host_bytes()) / 0x1p30;
  row.file = file;
  return row;
}

TransitionMatrix transport_transitions(const TransportSides& sides, const std::vector<double>& transitions, const std::string& annotation) {
  TransitionMatrix matrix;
  matrix.source_time = sides.source.name;
  matrix.target_time = sides.target.name;
  matrix.title = "Transitions of " + annotation;
  const std::vector<std::size_t> rows = present(sides.source), columns = present(sides.target);
  for (const std::size_t k : rows) matrix.source_names.push_back(sides.source.categories[k]);
  for (const std::size_t l : columns) matrix.target_names.push_back(sides.target.categories[l]);
  for (const std::size_t k : rows)
    for (const std::size_t l : columns) matrix.mass.push_back(transitions[k * sides.target.categories.size() + l]);
  return matrix;
}

}  // namespace thalweg
