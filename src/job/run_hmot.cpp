#include "job/chain_output.hpp"
#include "job/commands_run.hpp"
#include "job/hmot_problem.hpp"
#include "job/job_session.hpp"
#include "job/labelled_slices.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/solve_chain.hpp"

namespace thalweg {

namespace {

ChainOutput output_of(const HmOtOptions& options, const std::string& annotation, const HmOtJob& job) {
  ChainOutput output;
  output.prefix = "hmot";
  output.title = "Differentiation map (" + options.mode + ")";
  output.edge_threshold = options.edge_threshold;
  output.annotation = annotation;
  output.cells.clusterings = options.clusterings;
  output.cells.with_memberships = options.write_q;
  if (!options.reference.empty()) output.cells.reference = find_slice(job.slice_names, options.reference, "hmot.reference");
  return output;
}

}  // namespace

int run_hmot(const Communicator& comm, const JobContext& context) {
  const HmOtOptions& options = context.job.hmot;
  const std::string annotation = context.job.input.annotation.empty() ? options.score_annotation : context.job.input.annotation;
  check_memory(comm, read_plan_input(comm, context), context.job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  const TimeSeriesRequest request = request_of(context.job.input, context.job.output, annotation);
  TimeSeries series = read_time_series(comm, request);
  const HmOtJob job = make_hmot_job(comm, options, request, context.job.input.spatial, series);
  record_input(series, session.record());
  if (const auto code = session.finished_before()) return *code;

  HmOtSettings settings = settings_of(options);
  settings.subsample = options.subsample;
  const SolvedChain solved = solve_chain(session, job, settings);
  const ChainFile file{&series, "result.h5ad", 0, series.slices.size()};
  write_chain_results(session, context, job, solved.solution, series, {file}, output_of(options, annotation, job), solved.seconds);
  return session.finish("hmot", solved.solution.stop_reason);
}

}  // namespace thalweg
