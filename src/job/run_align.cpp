#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "core/worse_reason.hpp"
#include "job/align_output.hpp"
#include "job/commands_run.hpp"
#include "job/gromov_output.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/solve_alignment.hpp"

namespace thalweg {

namespace {

Matrix identity(std::int64_t size) {
  Matrix matrix(size, size);
  for (std::int64_t k = 0; k < size; ++k) matrix(k, k) = 1.0;
  return matrix;
}

/// The reference, which stays: every place its own partner.
PlacedSlice reference_of(const AlignSlices& slices) {
  const AlignSlice& slice = slices.slices[slices.reference];
  const std::int64_t d = slice.places.columns;
  PlacedSlice placed;
  placed.neighbour = slices.reference;
  placed.motion = {identity(d), std::vector<double>(static_cast<std::size_t>(d), 0.0), 1.0, 0.0};
  placed.aligned = placed.warped = slice.places;
  for (std::int64_t i = 0; i < slice.num_places(); ++i) placed.match.push_back(i);
  placed.confidence.assign(placed.match.size(), 1.0);
  return placed;
}

/// Places of a neighbour that have none of their own lie where its motion takes them.
Matrix filled(const Matrix& warped, const Matrix& aligned) {
  Matrix places = warped;
  for (std::size_t k = 0; k < places.values.size(); ++k)
    if (std::isnan(places.values[k])) places.values[k] = aligned.values[k];
  return places;
}

/// Couples a slice with its neighbour, whose places are known, and moves it there.
PlacedSlice place_slice(JobSession& session, const Job& job, const AlignSlices& slices, std::size_t slice,
                        std::size_t neighbour, const PlacedSlice& known) {
  const Context context = session.solver_context();
  const AlignSlice& own = slices.slices[slice];
  const std::string pair = own.name + "_" + slices.slices[neighbour].name;
  const SlicePair problem(context, job, slices, slice, neighbour);
  PlacedSlice placed;
  placed.neighbour = neighbour;
  MultiStartSettings settings = starts_of(job.gromov, context.precision);
  settings.exchange_groups = 0;
  settings.keeps_end = slices.slices.size() > 2;
  placed.starts = solve_alignment(session, job, problem.problem(), settings, pair);
  log_alignment(placed.starts);
  SlicePartners partners =
      partners_of_slice(context.comm, placed.solution(), own.weights, known.aligned, filled(known.warped, known.aligned));
  placed.motion = fit_rigid_motion(own.places, partners.aligned, own.weights, {job.align.reflection, job.align.scale});
  placed.aligned = moved(own.places, placed.motion);
  placed.warped = std::move(partners.warped);
  placed.match = std::move(partners.match);
  placed.confidence = std::move(partners.confidence);
  placed.starts.best.geometry.reset();  // large, and of no use from here on
  placed.starts.best.generator = {};
  placed.starts.other.reset();
  log_info(pair + ": residual rms " + rounded_number(placed.motion.residual_rms, 4) + " of a radius of " +
           rounded_number(slices.radius, 4));
  return placed;
}

StopReason worst_of(const AlignSlices& slices, const std::vector<PlacedSlice>& placed) {
  StopReason worst = StopReason::converged;
  for (const std::size_t slice : slices.order()) worst = worse_of(worst, placed[slice].solution().stop_reason);
  return worst;
}

}  // namespace

int run_align(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  check_memory(comm, read_plan_input(comm, context), job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  const AlignSlices slices = read_align_slices(comm, job);
  for (const TimeSeries& file : slices.files) record_input(file, session.record());
  if (const auto code = session.finished_before()) return *code;
  session.start_phase("solve");
  std::vector<PlacedSlice> placed(slices.slices.size());
  placed[slices.reference] = reference_of(slices);
  for (const std::size_t slice : slices.order()) {
    const std::size_t neighbour = slices.neighbour_of(slice, job.problem.policy == "star");
    placed[slice] = place_slice(session, job, slices, slice, neighbour, placed[neighbour]);
  }
  session.start_phase("write");
  write_aligned_slices(session, context, slices, placed);
  return session.finish("align", worst_of(slices, placed));
}

}  // namespace thalweg
