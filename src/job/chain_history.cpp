#include "job/chain_history.hpp"

#include <cmath>
#include <map>

#include "job/index_table.hpp"
#include "job/run_record.hpp"

namespace thalweg {

namespace {

/// The returned state where no descent was needed: every membership is given.
ConvergenceRow exact_row(const std::string& problem, const HmOtSolution& solution) {
  ConvergenceRow row;
  row.problem = problem;
  row.stage = "exact";
  row.level = row.outer = 0;
  row.epsilon = solution.epsilon;
  row.objective = solution.state.objective;
  row.primal = solution.state.regularized;
  row.gap = solution.coupling_gap;
  row.marginal_error_source = 0.0;
  row.marginal_error_target = solution.column_error;
  row.stop_reason = solution.stop_reason;
  row.extra = {static_cast<double>(solution.passes)};
  return row;
}

/// Not every sweep has a record: those taken back have none.
std::int64_t sweeps_over_all_cells(const HmOtSolution& solution) {
  std::map<int, std::int64_t> last_of_level;
  for (const DescentRecord& check : solution.history)
    if (check.stage == "all") last_of_level[check.level] = check.sweep;
  std::int64_t sweeps = 0;
  for (const auto& [level, sweep] : last_of_level) sweeps += sweep;
  return sweeps;
}

}  // namespace

ConvergenceTable convergence_of(const std::string& problem, const HmOtSolution& solution) {
  ConvergenceTable table({"passes"});
  for (const DescentRecord& check : solution.history) {
    ConvergenceRow row;
    row.problem = problem;
    row.stage = check.stage;
    row.level = check.level;
    row.outer = check.sweep;
    row.epsilon = check.epsilon;
    row.objective = check.objective;
    row.primal = check.regularized;
    row.gap = check.gap;
    row.marginal_error_source = 0.0;
    row.marginal_error_target = check.column_error;
    row.change = check.change;
    row.seconds = check.seconds;
    row.stop_reason = check.stop_reason;
    row.extra = {static_cast<double>(check.passes)};
    table.add(std::move(row));
  }
  if (solution.history.empty()) table.add(exact_row(problem, solution));
  return table;
}

ConvergenceHistory history_of(const HmOtSolution& solution) {
  ConvergenceHistory history;
  history.title = "Descent of the objective";
  history.x_label = "step from the best start";
  history.objectives = {{"E", {}, {}}, {"F = E + epsilon KL", {}, {}}};
  history.residuals = {{"relative decrease of F", {}, {}}, {"type mass error", {}, {}}};
  std::string stage;
  int level = -1;
  double step = 0.0;
  for (const DescentRecord& check : solution.history) {
    if (check.stage != stage || check.level != level)
      history.boundaries.push_back({step, check.stage + (check.level > 0 ? ", level " + std::to_string(check.level) : "")});
    stage = check.stage;
    level = check.level;
    const double values[] = {check.objective, check.regularized, check.change, check.column_error};
    for (std::size_t c = 0; c < 4; ++c) {
      ConvergenceCurve& curve = c < 2 ? history.objectives[c] : history.residuals[c - 2];
      curve.x.push_back(step);
      curve.y.push_back(values[c]);
    }
    step += 1.0;
  }
  return history;
}

std::string index_of(const std::string& problem, const HmOtJob& job, const HmOtSolution& solution, double seconds, const std::string& file) {
  IndexRow row;
  row.pair = problem;
  row.source = job.slice_names.front();
  row.target = job.slice_names.back();
  row.n = job.problem.slices.front().rows.num_rows;
  row.m = job.problem.slices.back().rows.num_rows;
  row.mass = 1.0;
  row.cost = solution.state.objective;
  row.primal = solution.state.regularized;
  row.gap = solution.coupling_gap;
  row.marginal_error_source = 0.0;
  row.marginal_error_target = solution.column_error;
  row.iterations = sweeps_over_all_cells(solution);
  row.stop_reason = solution.stop_reason;
  row.seconds = seconds;
  row.peak_gib = static_cast<double>(peak_host_bytes()) / 0x1p30;
  row.file = file;
  return index_tsv({row});
}

}  // namespace thalweg
