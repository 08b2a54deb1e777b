#include "core/log.hpp"
#include "job/commands_run.hpp"
#include "job/export_coupling.hpp"
#include "job/job_session.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/solve_transport.hpp"
#include "job/transport_output.hpp"

namespace thalweg {

namespace {

/// Of the cells nothing is written: that takes passes over all pairs, and who was told to stop has no time for them.
int leave_stopped(JobSession& session, const TransportResult& result, StopReason reason) {
  session.write_text("convergence.csv", transport_convergence(result.sides.pair, result.solution).csv());
  IndexRow row = transport_index(result, "");
  row.stop_reason = reason;
  session.write_text("index.tsv", index_tsv({row}));
  return session.finish(result.sides.pair, reason);
}

}  // namespace

int run_transport(const Communicator& comm, const JobContext& given) {
  JobContext context = given;
  const Job& job = context.job;
  const PlanInput input = with_form(comm, read_plan_input(comm, context), job.run);
  check_memory(comm, input, job.run);
  if (input.ring && job.sinkhorn.form == "auto") log_info("the points of both sides do not fit on every rank; they pass in a ring");
  if (input.ring) context.job.sinkhorn.form = "ring";
  JobSession session(comm, context);
  session.start_phase("read");
  TransportSides sides = read_transport_sides(comm, job);
  for (const TimeSeries& file : sides.files) record_input(file, session.record());
  if (const auto code = session.finished_before()) return *code;
  TransportProblem problem = make_transport_problem(session.solver_context(), job.sinkhorn, sides);

  session.start_phase("solve");
  const SinkhornSolution solution = solve_transport(session, sides.pair, problem);
  if (solution.needs_float64) use_float64(problem);
  TransportResult result{sides, problem, solution, {}};
  if (is_stop_request(solution.stop_reason)) return leave_stopped(session, result, solution.stop_reason);
  if (job.transport.divergence) result.divergence = solve_divergence(session, job.sinkhorn, sides, problem, solution);
  if (result.divergence && is_stop_request(result.divergence->stop_reason))
    return leave_stopped(session, result, result.divergence->stop_reason);
  log_transport(result);

  session.start_phase("describe");
  const TransportCells cells = describe_cells(context_of(session, problem), job, sides, problem, solution);
  session.start_phase("write");
  const StoredCoupling coupling = stored_coupling(comm, job, result);
  write_transport_results(session, context, result, cells, coupling);
  if (job.output.store == "sparse") export_coupling(session, context, job.sinkhorn, sides, coupling);
  if (result.divergence) session.record().add_stop_reason("divergence", result.divergence->stop_reason);
  return session.finish(sides.pair, solution.stop_reason);
}

}  // namespace thalweg
