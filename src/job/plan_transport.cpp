#include "job/plan_transport.hpp"

#include <algorithm>

#include "distributed/device.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "job/export_coupling.hpp"
#include "job/plan_export.hpp"
#include "job/read_cells.hpp"
#include "job/transport_sides.hpp"

namespace thalweg {

namespace {

constexpr WideInt lanes = 16;            // padding of columns
constexpr WideInt passed_bytes = 16 * mebibyte;  // of points on their way in the form `ring`
constexpr WideInt tile_padding = 64;     // of points
constexpr WideInt host_part_columns = 1536, device_part_columns = 16 * host_part_columns;  // of blocks in the form `ring`
constexpr WideInt device_slices = 16;    // of columns in a pass, each with sums of its own
constexpr WideInt cost_rows = 256;       // at a time, for potentials of targets without weight
constexpr WideInt vectors_of_solver = 24;  // f, g, weights, references, sums and their copies, of the solver and its best state
constexpr WideInt columns_at_once = 64;  // of a product with the coupling

/// Sizes of a problem whose points are packed.
struct PackedSides {
  WideInt num_ranks, n, m;
};

/// Adds the sizes of what one request reads.
void add_side(const Communicator& comm, const TimeSeriesRequest& request, const Job& job, PlanInput& input) {
  const AnnDataReader reader(comm, request.path);
  const StoredMatrix matrix = reader.matrix(request.features, "input.joint");
  input.num_features = std::max(input.num_features, matrix.num_columns());
  add_sizes(reader, matrix, request, input);
  std::int64_t projected = 0;
  for (const std::string& key : job.transport.project) {
    const std::int64_t width = reader.matrix(key, "transport.project").num_columns();
    projected += width;
    input.widest_projection = std::max(input.widest_projection, width);
  }
  input.projected_columns = std::max(input.projected_columns, projected);
  if (annotation_of(job).empty()) return;
  const Column column = reader.column(annotation_of(job), "input.annotation");
  const std::int64_t unknown = 64;  // text columns tell their categories only when read
  input.label_columns = std::max(input.label_columns, column.categories.empty() ? unknown : static_cast<std::int64_t>(column.categories.size()));
}

/// Points of one side that a rank holds to be passed on: its own and what completes its block.
WideInt share_of(const PlanInput& input, WideInt n, WideInt num_ranks) {
  const WideInt part = input.on_device ? device_part_columns : host_part_columns;
  return std::min(n, ceil_divide(ceil_divide(n, granule_rows), num_ranks) * granule_rows + part);
}

/// Packed points: where costs are dot products the sources twice, also times their factor. Both sides whole on every
/// rank; or in the form `ring` shares of them, and two pieces on their way.
WideInt packed_bytes(const PlanInput& input, WideInt num_ranks, WideInt n, WideInt m, WideInt scalar) {
  const WideInt of_point = input.num_features * scalar;
  if (!input.ring) return (2 * (n + tile_padding) + m + tile_padding) * of_point + 17 * (n + m);
  const WideInt of_n = share_of(input, n, num_ranks), of_m = share_of(input, m, num_ranks);
  const WideInt part = (input.on_device ? device_part_columns : host_part_columns) * of_point;
  const WideInt piece = std::min(std::max(of_n, of_m) * of_point, std::max(part, passed_bytes));
  return (2 * of_n + of_m) * of_point + 2 * piece + 17 * (n + m);
}

/// Points of a problem in the type of the tiles, and in float64 for the check.
void add_points(const PlanInput& input, const std::string& of, const PackedSides& sides, int phases, Collector& items) {
  const auto& [num_ranks, n, m] = sides;
  if (input.dense_costs || n == 0) return;
  items.add_copied("points" + of + ", packed", phases, input.on_device,
                   packed_bytes(input, num_ranks, n, m, input.is_double ? 8 : 4));
  if (!input.is_double)
    items.add_copied("points" + of + ", float64", phases, input.on_device, packed_bytes(input, num_ranks, n, m, 8));
}

void add_costs(const PlanInput& input, WideInt n, WideInt m, Collector& items) {
  if (!input.dense_costs) return;
  items.add_fixed("costs as read", Collector::always, false, 4 * n * m);
  const int phases = Collector::solving | Collector::writing;
  items.add_fixed("costs, packed", phases, false, (4 + 8) * n * m);
  // In the orders of both passes, and in float64 for checks.
  if (input.on_device) items.add_fixed("costs, packed both ways", phases, true, 2 * (input.is_double ? 8 : 4 + 8) * n * m);
}

/// What one pass keeps: exponentials of a strip, sums of every column as integers that no order of adding changes.
void add_pass(const PlanInput& input, WideInt n, WideInt m, Collector& items) {
  const int phases = Collector::solving | Collector::writing;
  const WideInt columns = std::max(n, m) + lanes;  // also the other way round, when cells are described
  if (!input.ring) add_strips(input, columns, items);
  items.add_fixed("column sums", phases, input.on_device, 2 * 8 * columns);
  if (input.weighted) items.add_fixed("rows of costs", Collector::solving, false, 8 * cost_rows * m);
  if (!input.on_device) return;
  // Sums of the slices of columns, three of them a row, and columns in the form of the matrix units; products and values.
  items.add_fixed("sums of slices", phases, true, device_slices * 3 * 8 * columns);
  items.add_fixed("columns, split", phases, true, (4 * (input.num_features + 16) + 12) * columns);
  items.add_fixed("products and values", Collector::writing, true, 2 * 8 * columns_at_once * columns);
}

void add_writing(const PlanInput& input, WideInt n, WideInt m, Collector& items) {
  const WideInt cells = n + m, products = std::max<WideInt>(input.label_columns, std::min<WideInt>(columns_at_once, input.widest_projection));
  items.add_fixed("products with the coupling", Collector::writing, false, 8 * cells * (products + 3));
  if (input.widest_projection > 0)
    items.add_fixed("matrices to project", Collector::writing, false, (4 + 8) * cells * input.widest_projection);
  items.add_fixed("coupling as stored", Collector::writing, false, 3 * 8 * cells);
  const WideInt columns = 2 * (5 * 8 + 3 * 4) + 12 * (input.label_columns + input.projected_columns);
  items.add_rows("columns of the result", Collector::writing, false, [=](const Rows& rows) { return columns * rows.all; });
  add_result_buffers(items);
}

}  // namespace

PlanInput transport_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.weighted = !job.input.weights.empty() || !job.source.weights.empty() || !job.target.weights.empty();
  input.labelled = !annotation_of(job).empty();
  input.threads = context.threads;
  input.acceleration_history = job.sinkhorn.acceleration == "anderson" ? job.sinkhorn.anderson_history : 0;
  input.dense_costs = job.sinkhorn.cost == "dense";
  input.exports_rows = job.output.store == "sparse";
  input.exports_dense = input.exports_rows && job.exports.format == "dense";
  input.exported_per_row = job.exports.sparsify == "top_k" && !input.exports_dense ? job.exports.top_k : 0;
  input.with_divergence = job.transport.divergence;
  input.form = job.sinkhorn.form;
  input.may_ring = input.form == "auto" && !input.dense_costs;
  input.ring = input.form == "ring" && !input.dense_costs;
  for (const InputOptions& side : inputs_of_sides(job.input, job.source, job.target))
    add_side(comm, request_of_cells(side, ""), job, input);
  check_two_sides("transport", input.cells_per_slice.size(), job.input.file.front());
  if (input.exports_dense) check_dense_size(input.cells_per_slice[0], input.cells_per_slice[1]);
  return input;
}

void add_sides(const PlanInput& input, std::int64_t num_ranks, Collector& items) {
  const WideInt n = input.cells_per_slice[0], m = input.cells_per_slice[1], cells = n + m, d = input.num_features;
  add_reading(input, num_ranks, Collector::reading, items);
  if (input.ring) items.add_rows("points of both sides", Collector::always, false, [=](const Rows& rows) { return 4 * d * rows.all; });
  else if (!input.dense_costs) items.add_fixed("points of both sides", Collector::always, false, 4 * d * cells);
  items.add_fixed("weights and labels", Collector::always, false, (8 + (input.labelled ? 4 : 0)) * cells);
  add_costs(input, n, m, items);
  add_points(input, "", {num_ranks, n, m}, Collector::solving | Collector::writing, items);
}

void add_transport(const PlanInput& input, std::int64_t num_ranks, Collector& items) {
  const WideInt n = input.cells_per_slice[0], m = input.cells_per_slice[1], cells = n + m;
  add_sides(input, num_ranks, items);
  if (input.with_divergence) add_points(input, " of one side", {num_ranks, std::max(n, m), std::max(n, m)}, Collector::solving, items);
  add_points(input, " from the other side", {num_ranks, m, n}, Collector::writing, items);
  items.add_fixed("potentials and sums", Collector::solving | Collector::writing, false, 8 * vectors_of_solver * cells);
  items.add_fixed("history of the iteration", Collector::solving, false, 16 * WideInt{input.acceleration_history} * m);
  add_pass(input, n, m, items);
  add_writing(input, n, m, items);
  if (input.exports_rows) add_exported_rows(input, items);
}

}  // namespace thalweg
