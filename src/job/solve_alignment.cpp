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

GromovSolution solve_alignment(JobSession& session, const Job& job, const GromovProblem& problem,
                               const GromovSettings& settings, const std::string& name) {
  const double tolerance = job.gromov.tolerance;
  GromovRecord last;
  const auto show = [&](const GromovRecord& step) {
    session.progress().check(progress_of(name, step, tolerance));
    last = step;
  };
  GromovSolution solution = solve_gromov(session.solver_context(), problem, settings, show, session.stop_check());
  session.progress().finish(progress_of(name, last, tolerance), solution.stop_reason);
  return solution;
}

}  // namespace thalweg
