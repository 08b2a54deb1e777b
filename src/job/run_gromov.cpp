#include <numeric>

#include "core/log.hpp"
#include "distributed/error.hpp"
#include "job/commands_run.hpp"
#include "job/gromov_linear.hpp"
#include "job/gromov_output.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"

namespace thalweg {

namespace {

/// Masses of 1 on both sides.
void normalise_weights(CellSide& side) {
  const double sum = std::accumulate(side.weights.begin(), side.weights.end(), 0.0);
  for (double& weight : side.weights) weight /= sum;
}

GromovSettings settings_of(const GromovOptions& options, Precision precision) {
  GromovSettings settings;
  settings.epsilon_start = options.epsilon_start;
  settings.epsilon_decay = options.epsilon_decay;
  settings.tolerance = options.tolerance;
  settings.max_outer = options.max_outer;
  settings.inner_tolerance = options.inner_tolerance.value_or(precision == Precision::float64 ? 1e-6 : 1e-5);
  settings.inner_iterations = options.inner_iterations;
  return settings;
}

ProgressState progress_of(const std::string& pair, const GromovRecord& step, double tolerance) {
  ProgressState state;
  state.problem = pair;
  state.level = step.level;
  state.iteration = step.outer;
  state.objective = step.energy;
  state.marginal_error = step.error_target;
  state.gap = step.gap;
  state.epsilon = step.epsilon;
  state.error = step.gap / step.primal;
  state.tolerance = tolerance;
  return state;
}

GromovSolution solve(JobSession& session, const GromovOptions& options, const TransportSides& sides,
                     const AlignmentCosts& costs, const LinearPart& linear) {
  const Context context = session.solver_context();
  GromovProblem problem{costs.source.costs(), costs.target.costs(), sides.source.weights, sides.target.weights,
                        options.epsilon};
  linear.add_to(problem);
  GromovRecord last;
  const auto show = [&](const GromovRecord& step) {
    session.progress().check(progress_of(sides.pair, step, options.tolerance));
    last = step;
  };
  GromovSolution solution =
      solve_gromov(context, problem, settings_of(options, context.precision), show, session.stop_check());
  session.progress().finish(progress_of(sides.pair, last, options.tolerance), solution.stop_reason);
  return solution;
}

}  // namespace

int run_gromov(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  check_memory(comm, read_plan_input(comm, context), job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  TransportSides sides = read_two_sides(comm, job, "gromov", job.gromov.label_key, /*in_ring=*/false);
  for (const TimeSeries& file : sides.files) record_input(file, session.record());
  normalise_weights(sides.source);
  normalise_weights(sides.target);
  if (!job.gromov.label_key.empty()) share_categories(sides.source, sides.target);
  const CellPairs pairs = job.gromov.pair_key.empty() ? CellPairs{} : read_cell_pairs(comm, job);

  const LinearPart linear(comm, job, sides);

  session.start_phase("costs");
  const AlignmentCosts costs = make_alignment_costs(session.solver_context(), job, sides);
  session.start_phase("solve");
  const GromovSolution solution = solve(session, job.gromov, sides, costs, linear);
  log_alignment(solution);
  session.start_phase("describe");
  const Alignment alignment = describe_alignment(comm, sides, solution);
  session.start_phase("write");
  write_alignment(session, context, {sides, costs, solution}, alignment, pairs);
  return session.finish(sides.pair, solution.stop_reason);
}

}  // namespace thalweg
