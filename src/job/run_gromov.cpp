#include <numeric>

#include "core/log.hpp"
#include "core/worse_reason.hpp"
#include "distributed/error.hpp"
#include "job/commands_run.hpp"
#include "job/gromov_init.hpp"
#include "job/gromov_linear.hpp"
#include "job/gromov_output.hpp"
#include "job/gromov_sweep.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/run_shapes.hpp"
#include "job/shape_side.hpp"
#include "job/solve_alignment.hpp"

namespace thalweg {

namespace {

/// What gromov.storage = "auto" became.
void log_storage(const Job& job, const PlanInput& plan) {
  if (job.gromov.storage != "auto" || !may_be_factors(job)) return;
  if (!plan.low_rank) log_info("gromov.storage = \"dense\", which fits into memory");
  else if (are_factors(job))
    log_info("gromov.storage = \"low_rank\": the costs of both sides are factors without loss");
  else log_info("gromov.storage = \"low_rank\": dense costs do not fit into memory");
}

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

/// One problem of a job, solved from several starts, or from the linear cost of a solve at a larger epsilon alone.
MultiStartSolution solve(JobSession& session, const Job& job, const TransportSides& sides, LinearPart& linear,
                         const SharedEntries& given, const SweepPoint& point) {
  const Context context = session.solver_context();
  GromovProblem problem{point.costs.source.costs(), point.costs.target.costs(), sides.source.weights,
                        sides.target.weights, point.epsilon};
  linear.add_to(context.comm, problem);
  set_mode(job.gromov, problem);
  MultiStartSettings settings = starts_of(job.gromov, context.precision);
  settings.solve.keep_linear = point.keep_linear;
  settings.given = given;
  settings.keeps_end = job.sweep.is_given();
  if (point.before) {
    settings.starts = 1;
    settings.given.reset();
    settings.wants_bounds = false;
    settings.solve.start = *point.before->linear;
    settings.solve.epsilon_start = point.before->coupling.epsilon * job.gromov.epsilon_decay;
  }
  return solve_alignment(session, job, problem, settings, point.name);
}

}  // namespace

int run_gromov(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  if (are_shapes(job)) return run_shapes(comm, context);
  const PlanInput plan = read_plan_input(comm, context);
  check_memory(comm, plan, job.run);
  JobSession session(comm, context);
  log_storage(job, plan);
  session.start_phase("read");
  TransportSides sides = read_two_sides(comm, job, "gromov", job.gromov.label_key, /*in_ring=*/false);
  for (const TimeSeries& file : sides.files) record_input(file, session.record());
  if (const auto code = session.finished_before()) return *code;
  if (job.gromov.mode != "unbalanced") {
    normalise_weights(sides.source);
    normalise_weights(sides.target);
  }
  if (!job.gromov.label_key.empty()) share_categories(sides.source, sides.target);
  const CellPairs pairs = job.gromov.pair_key.empty()
                              ? CellPairs{}
                              : read_cell_pairs(comm, job, job.gromov.pair_key, "gromov.pair_key");

  LinearPart linear(comm, job, sides);
  SharedEntries given;
  if (!job.gromov.init.empty())
    given = std::make_shared<const CouplingEntries>(read_start_coupling(comm, job, sides));

  session.start_phase("costs");
  const AlignmentCosts costs = make_alignment_costs(session.solver_context(), job, sides, plan.low_rank);
  session.start_phase("solve");
  const MultiStartSolution starts = solve(session, job, sides, linear, given, {sides.pair, costs, job.gromov.epsilon});
  const GromovSolution& solution = starts.best;
  log_alignment(starts);
  session.start_phase("describe");
  const Alignment alignment = describe_alignment(comm, sides, solution);
  const std::optional<ExactLoss> exact = exact_loss(session.solver_context(), costs, solution);
  if (exact) log_exact_loss(*exact);
  session.start_phase("write");
  write_alignment(session, context, {sides, costs, solution, starts, exact}, alignment, pairs);
  if (!job.sweep.is_given() || is_stop_request(solution.stop_reason)) return session.finish(sides.pair, solution.stop_reason);
  session.start_phase("sweep");
  const StopReason reason = run_sweep(session, job, sides, pairs, plan.low_rank, [&](const SweepPoint& point) {
    return solve(session, job, sides, linear, given, point);
  });
  return session.finish(sides.pair, worse_of(solution.stop_reason, reason));
}

}  // namespace thalweg
