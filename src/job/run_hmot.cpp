#include <chrono>

#include "core/log.hpp"
#include "job/chain_output.hpp"
#include "job/commands_run.hpp"
#include "job/hmot_problem.hpp"
#include "job/job_session.hpp"
#include "job/labelled_slices.hpp"
#include "job/read_cells.hpp"

namespace thalweg {

namespace {

ChainOutput output_of(const HmOtOptions& options, const std::string& annotation, const HmOtJob& job) {
  ChainOutput output;
  output.prefix = "hmot";
  output.title = "Differentiation map (" + options.mode + ")";
  output.edge_threshold = options.edge_threshold;
  output.has_annotation = !annotation.empty();
  output.cells.clusterings = options.clusterings;
  output.cells.with_memberships = options.write_q;
  if (!options.reference.empty()) output.cells.reference = find_slice(job.slice_names, options.reference, "hmot.reference");
  return output;
}

Descent::Observer show_checks(JobSession& session, double tolerance) {
  return [&session, tolerance](const DescentRecord& check) {
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
    session.progress().check(state);
  };
}

}  // namespace

int run_hmot(const Communicator& comm, const JobContext& context) {
  const HmOtOptions& options = context.job.hmot;
  const std::string annotation = context.job.input.annotation.empty() ? options.score_annotation : context.job.input.annotation;
  JobSession session(comm, context);
  session.start_phase("read");
  TimeSeries series = read_time_series(comm, request_of(context.job.input, annotation));
  record_input(series, session.record());
  const HmOtJob job = make_hmot_job(comm, options, annotation, series);

  session.start_phase("solve");
  const auto begin = std::chrono::steady_clock::now();
  const HmOtSolution solution = solve_hm_ot(session.solver_context(), job.problem, settings_of(options),
                                            show_checks(session, options.tolerance), session.stop_check());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ProgressState done;
  done.problem = "hmot";
  done.objective = solution.state.objective;
  done.marginal_error = solution.column_error;
  session.progress().finish(done, solution.stop_reason);
  log_solution(solution);

  session.start_phase("write");
  write_chain_results(session, context, job, solution, series, output_of(options, annotation, job), seconds);
  return session.finish("hmot", solution.stop_reason);
}

}  // namespace thalweg
