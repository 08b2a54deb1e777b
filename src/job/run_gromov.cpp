#include <numeric>

#include "core/log.hpp"
#include "distributed/error.hpp"
#include "job/commands_run.hpp"
#include "job/gromov_linear.hpp"
#include "job/gromov_output.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/run_shapes.hpp"
#include "job/shape_side.hpp"
#include "job/solve_alignment.hpp"

namespace thalweg {

namespace {

/// Masses of 1 on both sides.
void normalise_weights(CellSide& side) {
  const double sum = std::accumulate(side.weights.begin(), side.weights.end(), 0.0);
  for (double& weight : side.weights) weight /= sum;
}

GromovMode mode_of(const GromovOptions& options) {
  if (options.mode == "semi_relaxed") return GromovMode::semi_relaxed;
  return options.mode == "unbalanced" ? GromovMode::unbalanced : GromovMode::balanced;
}

void set_mode(const GromovOptions& options, GromovProblem& problem) {
  problem.mode = mode_of(options);
  problem.rho_1 = options.rho_1;
  problem.rho_2 = options.rho_2;
  if (options.regularisation == "proximal") problem.regularisation = Regularisation::proximal;
}

GromovSolution solve(JobSession& session, const Job& job, const TransportSides& sides,
                     const AlignmentCosts& costs, const LinearPart& linear) {
  const Context context = session.solver_context();
  GromovProblem problem{costs.source.costs(), costs.target.costs(), sides.source.weights, sides.target.weights,
                        job.gromov.epsilon};
  linear.add_to(problem);
  set_mode(job.gromov, problem);
  return solve_alignment(session, job, problem, settings_of(job.gromov, context.precision), sides.pair);
}

}  // namespace

int run_gromov(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  if (are_shapes(job)) return run_shapes(comm, context);
  check_memory(comm, read_plan_input(comm, context), job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  TransportSides sides = read_two_sides(comm, job, "gromov", job.gromov.label_key, /*in_ring=*/false);
  for (const TimeSeries& file : sides.files) record_input(file, session.record());
  if (job.gromov.mode != "unbalanced") {
    normalise_weights(sides.source);
    normalise_weights(sides.target);
  }
  if (!job.gromov.label_key.empty()) share_categories(sides.source, sides.target);
  const CellPairs pairs = job.gromov.pair_key.empty() ? CellPairs{} : read_cell_pairs(comm, job);

  const LinearPart linear(comm, job, sides);

  session.start_phase("costs");
  const AlignmentCosts costs = make_alignment_costs(session.solver_context(), job, sides);
  session.start_phase("solve");
  const GromovSolution solution = solve(session, job, sides, costs, linear);
  log_alignment(solution);
  session.start_phase("describe");
  const Alignment alignment = describe_alignment(comm, sides, solution);
  session.start_phase("write");
  write_alignment(session, context, {sides, costs, solution}, alignment, pairs);
  return session.finish(sides.pair, solution.stop_reason);
}

}  // namespace thalweg
