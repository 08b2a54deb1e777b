#include "job/solve_chain.hpp"

#include <chrono>

#include "job/chain_output.hpp"

namespace thalweg {

namespace {

ProgressState progress_of(const DescentRecord& check, double tolerance) {
  ProgressState state;
  state.problem = check.stage;
  state.level = check.level;
  state.iteration = check.sweep;
  state.objective = check.objective;
  state.marginal_error = check.column_error;
  state.gap = check.gap;
  state.epsilon = check.epsilon;
  state.error = check.change;
  state.tolerance = tolerance;
  return state;
}

}  // namespace

SolvedChain solve_chain(JobSession& session, const HmOtJob& job, HmOtSettings settings) {
  session.start_phase("solve");
  settings.checkpoint = session.checkpoint("chain", "hm_ot");
  SolvedChain solved;
  const auto begin = std::chrono::steady_clock::now();
  const auto show = [&](const DescentRecord& check) {
    session.progress().check(progress_of(check, settings.tolerance));
    // Starts are many and short: only their checks are shown.
    if (check.stop_reason && !check.stage.starts_with("start")) session.progress().finish(progress_of(check, settings.tolerance), *check.stop_reason);
  };
  solved.solution = solve_hm_ot(session.solver_context(), job.problem, settings, show, session.stop_check());
  solved.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  log_solution(solved.solution);
  session.start_phase("write");
  return solved;
}

}  // namespace thalweg
