#include "job/plan_export.hpp"

#include <algorithm>

#include "distributed/hdf5_layout.hpp"
#include "job/export_coupling.hpp"
#include "job/plan_transport.hpp"

namespace thalweg {

PlanInput export_plan_input(const Communicator& comm, const JobContext& context, const ResultOfJob& result) {
  JobContext of_result;
  of_result.command = "export";
  of_result.job = result.job;
  of_result.job.transport.project.clear();
  of_result.job.solver.precision = "float64";
  of_result.job.run.device = context.job.run.device;
  of_result.threads = context.threads;
  of_result.job.output.store = "sparse";
  of_result.job.exports = context.job.exports;
  return transport_input(comm, of_result);
}

void add_export(const PlanInput& input, std::int64_t num_ranks, Collector& items) {
  constexpr WideInt vectors_of_coupling = 12;  // as stored, and as weights and references
  add_sides(input, num_ranks, items);
  items.add_fixed("coupling as stored", Collector::writing, false, 8 * vectors_of_coupling * (input.cells_per_slice[0] + input.cells_per_slice[1]));
  items.add_rows("names of cells", Collector::writing, false, [](const Rows& rows) { return 2 * name_bytes * rows.all; });
  items.add_fixed("HDF5 buffers", Collector::reading | Collector::writing, false, hdf5_buffers);
  add_exported_rows(input, items);
}

void add_exported_rows(const PlanInput& input, Collector& items) {
  const WideInt m = input.cells_per_slice[1];
  const WideInt kept = input.exported_per_row == 0 ? m : std::min<WideInt>(m, input.exported_per_row);
  const WideInt most = rows_of_export_tile(input.cells_per_slice[1], input.threads);
  // Kept entries: of every row, of all rows while they grow, and times n.
  constexpr WideInt entry = 16 + 2 * 16 + 8;
  items.add_capped("tile of rows", Collector::writing, 8 * m * most, [=](const Rows& rows) { return 8 * m * rows.all; });
  items.add_capped("kept entries of a tile", Collector::writing, entry * kept * most, [=](const Rows& rows) { return entry * kept * rows.all; });
  items.add_fixed("entries that threads choose from", Collector::writing, false, 8 * input.threads * m);
  items.add_capped("entries from the disk", Collector::writing, Hdf5Rows::source_piece, [=](const Rows& rows) { return 8 * kept * rows.all; });
  items.add_rows("row begins, dropped masses", Collector::writing, false, [](const Rows& rows) { return 32 * rows.all; });
  if (input.exports_dense) items.add_rows("dense rows", Collector::writing, false, [m](const Rows& rows) { return 2 * 8 * m * rows.all; });
}

}  // namespace thalweg
