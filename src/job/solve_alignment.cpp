#include "job/solve_alignment.hpp"

namespace thalweg {

GromovSettings settings_of(const GromovOptions& options, Precision precision) {
  GromovSettings settings;
  if (options.algorithm == "frank_wolfe") settings.algorithm = GromovAlgorithm::frank_wolfe;
  settings.epsilon_start = options.epsilon_start;
  settings.epsilon_decay = options.epsilon_decay;
  settings.tolerance = options.tolerance;
  settings.max_outer = options.max_outer;
  settings.inner_tolerance = options.inner_tolerance.value_or(precision == Precision::float64 ? 1e-6 : 1e-5);
  settings.inner_iterations = options.inner_iterations;
  return settings;
}

MultiStartSettings starts_of(const GromovOptions& options, Precision precision) {
  MultiStartSettings settings;
  settings.solve = settings_of(options, precision);
  settings.starts = options.starts;
  settings.exchange_groups = options.exchange_groups;
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

MultiStartSolution solve_alignment(JobSession& session, const Job& job, const GromovProblem& problem,
                                   const MultiStartSettings& settings, const std::string& name) {
  const auto show = [&](const std::string& start, const GromovRecord& step) {
    const ProgressState state = progress_of(name + " " + start, step, job.gromov.tolerance);
    if (step.stop_reason) session.progress().finish(state, *step.stop_reason);
    else session.progress().check(state);
  };
  MultiStartSettings kept = settings;
  kept.checkpoint = session.checkpoint(name, "gromov");
  return solve_gromov_from_starts(session.solver_context(), problem, kept, show, session.stop_check());
}

}  // namespace thalweg
