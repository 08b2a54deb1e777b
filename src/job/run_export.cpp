#include "core/log.hpp"
#include "distributed/error.hpp"
#include "job/commands_run.hpp"
#include "job/export_coupling.hpp"
#include "job/plan_export.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/transport_output.hpp"

namespace thalweg {

namespace {

/// Refuses data that are not those of the coupling.
void check_unchanged(const Communicator& comm, const TransportSides& sides, const CellSide& side, const std::string& fingerprint,
                     const std::vector<std::int64_t>& rows) {
  const std::string now = fingerprint_of_features(sides, side);
  const std::string where = sides.file_of(side).keys.back().key + " of " + sides.file_of(side).path;
  if (now != fingerprint)
    throw DataError(where + " has changed since the coupling was computed (fingerprint " + fingerprint + " then, " + now + " now); run the job again");
  if (comm.all_gather(std::span<const std::int64_t>(sides.slice_of(side).source_rows)) != rows)
    throw DataError("the cells that the job chooses from " + sides.file_of(side).path + " are not those of the coupling any more; run the job again");
}

}  // namespace

int run_export(const Communicator& comm, const JobContext& context) {
  ResultOfJob result = without_labels(read_result(comm, context.job.analysed.result));
  const PlanInput input = with_form(comm, export_plan_input(comm, context, result), context.job.run);
  check_memory(comm, input, context.job.run);
  if (input.ring) result.job.sinkhorn.form = "ring";
  JobSession session(comm, context);
  session.start_phase("read");
  const TransportSides sides = read_transport_sides(comm, result.job);
  for (const TimeSeries& file : sides.files) record_input(file, session.record());
  session.record().add_input({result.coupling_path, {{"coupling", {}, "", ""}}});  // stands by its size and time
  if (const auto code = session.finished_before()) return *code;
  const StoredCoupling coupling = read_coupling_file(comm, result.coupling_path);
  check_unchanged(comm, sides, sides.source, coupling.source_fingerprint, coupling.source_row);
  check_unchanged(comm, sides, sides.target, coupling.target_fingerprint, coupling.target_row);
  if (!result.job.input.filter.empty())
    log_warning("filtered", "the coupling is between cells that input.filter has chosen; CellRank needs all cells of its times");
  session.start_phase("write");
  export_coupling(session, context, result.job.sinkhorn, sides, coupling);
  return session.finish("export", StopReason::converged);
}

}  // namespace thalweg
