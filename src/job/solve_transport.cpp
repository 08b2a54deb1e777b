#include "job/solve_transport.hpp"

#include "core/worse_reason.hpp"
#include "solvers/sinkhorn/divergence.hpp"

namespace thalweg {

namespace {

ProgressState progress_of(const std::string& pair, const SinkhornRecord& check, double tolerance) {
  ProgressState state;
  state.problem = pair;
  state.level = check.level;
  state.iteration = check.evaluation;
  state.marginal_error = check.error;
  state.epsilon = check.epsilon;
  state.error = check.error;
  state.tolerance = tolerance;
  return state;
}

/// The coupling of one side with itself.
SinkhornSolution solve_self(JobSession& session, const SinkhornOptions& options, const CellSide& side, const TransportProblem& problem) {
  const Context context = context_of(session, problem);
  const PointSet points = points_of(side);
  const auto geometry = make_pair_geometry(context, {cost_of(options), points, points, side.weights, side.weights, {}}, form_of(options));
  geometry->set_scale(problem.geometry->scale());
  const std::string name = side.name + "_" + side.name;
  const auto show = [&](const SinkhornRecord& check) { session.progress().check(progress_of(name, check, problem.settings.tolerance)); };
  return solve_self_transport(context, *geometry, side.weights, problem.problem, problem.settings, show, session.stop_check());
}

}  // namespace

Context context_of(const JobSession& session, const TransportProblem& problem) {
  const Context context = session.solver_context();
  return {context.comm, problem.precision, context.device, context.seed};
}

SinkhornSolution solve_transport(JobSession& session, const std::string& pair, const TransportProblem& problem) {
  const double tolerance = problem.settings.tolerance;
  SinkhornRecord last;
  const auto show = [&](const SinkhornRecord& check) {
    session.progress().check(progress_of(pair, check, tolerance));
    last = check;
  };
  SinkhornSettings settings = problem.settings;
  settings.checkpoint = session.checkpoint(pair, "sinkhorn");
  SinkhornSolution solution = solve_sinkhorn(context_of(session, problem), problem.problem, settings, show, session.stop_check());
  last.evaluation = solution.evaluations;
  if (!is_stop_request(solution.stop_reason)) last.error = solution.error_target;
  session.progress().finish(progress_of(pair, last, tolerance), solution.stop_reason);
  return solution;
}

Divergence solve_divergence(JobSession& session, const SinkhornOptions& options, const TransportSides& sides,
                            const TransportProblem& problem, const SinkhornSolution& solution) {
  const DivergenceSolution parts = divergence_of(solution, solve_self(session, options, sides.source, problem),
                                                 solve_self(session, options, sides.target, problem), problem.problem);
  Divergence divergence;
  divergence.value = parts.value;
  divergence.self_source = parts.source_self.dual;
  divergence.self_target = parts.target_self.dual;
  divergence.resolution = parts.resolution;
  divergence.is_below_resolution = parts.is_below_resolution;
  divergence.stop_reason = worse_of(parts.source_self.stop_reason, parts.target_self.stop_reason);
  return divergence;
}

}  // namespace thalweg
