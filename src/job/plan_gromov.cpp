#include "job/plan_gromov.hpp"

#include <algorithm>

#include "distributed/device.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "job/gromov_costs.hpp"
#include "job/read_cells.hpp"

namespace thalweg {

namespace {

constexpr WideInt vectors_of_solver = 40;  // f, g, weights, references, sums and their copies, of up to three problems
constexpr WideInt anderson_vectors = 16;   // of targets
constexpr WideInt depth_rows = 1024;       // of a product of matrices at a time

/// Adds the sizes of one request, and returns its number of features.
std::int64_t add_side(const Communicator& comm, const TimeSeriesRequest& request, PlanInput& input) {
  const AnnDataReader reader(comm, request.path);
  const StoredMatrix matrix = reader.matrix(request.features, "input.joint");
  add_sizes(reader, matrix, request, input);
  return matrix.num_columns();
}

/// Number of features that both sides share.
std::int64_t width_of(const Communicator& comm, const Job& job) {
  const InputOptions side = inputs_of_sides(job.input, job.source, job.target).front();
  const AnnDataReader reader(comm, request_of(side, job.output, "").path);
  return reader.matrix(job.gromov.linear, "gromov.linear").num_columns();
}

std::int64_t bytes_of_cost(const Job& job, bool is_double) {
  if (are_squared(job)) return 0;
  const bool are_hops =
      job.gromov.edge_weight == "hops" && job.source_costs.cost == "geodesic" && job.target_costs.cost == "geodesic";
  return are_hops ? 1 : is_double ? 8 : 4;
}

/// Stored costs within the sides, linear costs, coupling and products, of rows that a rank owns.
void add_dense(const PlanInput& input, WideInt n, WideInt m, WideInt scalar, Collector& items) {
  const WideInt cost = input.cost_bytes;
  items.add_shares("costs within the sides", Collector::solving, cost * (n * n + m * m));
  if (cost > 1) items.add_shares("costs as formed", Collector::solving, 2 * 8 * std::max(n * n, m * m));
  const WideInt linear = 5 * scalar,
                packed = 2 * 2 * (scalar + (input.is_double ? 0 : 8));  // of three states, both ways
  items.add_shares("linear costs", Collector::solving, linear * n * m);
  items.add_shares("linear costs, packed", Collector::solving | Collector::writing, (packed + scalar) * n * m);
  items.add_shares("coupling and products", Collector::solving, (2 * scalar + 2 * 8) * n * m);
  if (input.shared_features > 0) {
    items.add_shares("linear costs between the sides", Collector::solving, scalar * n * m);
    items.add_shares("linear costs as formed", Collector::solving, 8 * n * m);
  }
  if (input.exact_linear) items.add_fixed("exact linear problem", Collector::solving, false, 3 * 8 * n * m);
  items.add_fixed("blocks of products", Collector::solving, false,
                  2 * depth_rows * m * (scalar + cost) + input.threads * granule_rows * (depth_rows + m) * scalar);
}

/// Inner products of both sides, packed once an outer step, two at a time.
void add_squared(const PlanInput& input, WideInt n, WideInt m, WideInt scalar, Collector& items) {
  const WideInt width = input.other_features + 1 + input.shared_features;
  items.add_fixed("points in float64", Collector::solving, false,
                  8 * (2 * n * input.num_features + 3 * m * width + 2 * n * width));
  items.add_fixed("points, packed", Collector::solving | Collector::writing, input.on_device,
                  2 * (2 * n + m) * width * (scalar + (input.is_double ? 0 : 8)));
}

void add_graph(const PlanInput& input, WideInt cells, Collector& items) {
  if (input.geodesic_k == 0) return;
  items.add_fixed("graphs of neighbours", Collector::solving, false,
                  (3 * 4 + 2 * 12) * WideInt{input.geodesic_k} * cells);
}

void add_writing(const PlanInput& input, WideInt n, WideInt m, Collector& items) {
  const WideInt p = input.num_features, q = input.other_features, cells = n + m;
  items.add_fixed("projections", Collector::writing, false, 2 * 8 * (n * q + m * p) + 2 * 8 * (n * p + m * q));
  items.add_fixed("rows of the coupling", Collector::writing, false, 2 * 8 * granule_rows * m);
  items.add_fixed("cells on plots", Collector::writing, false, 64 * cells);
  items.add_rows("columns of the result", Collector::writing, false,
                 [=](const Rows& rows) { return (2 * (6 * 8 + 4) + 12 * std::max(p, q)) * rows.all; });
  add_result_buffers(items);
}

}  // namespace

PlanInput gromov_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.labelled = !job.gromov.label_key.empty();
  input.threads = context.threads;
  std::vector<std::int64_t> features;
  for (const InputOptions& side : inputs_of_sides(job.input, job.source, job.target))
    features.push_back(add_side(comm, request_of(side, job.output, ""), input));
  input.num_features = features.front();
  input.other_features = features.back();
  if (!job.gromov.linear.empty()) input.shared_features = width_of(comm, job);
  check_two_sides("gromov", input.cells_per_slice.size(), job.input.file.front());
  const bool has_graph = job.source_costs.cost == "geodesic" || job.target_costs.cost == "geodesic";
  const std::int64_t n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  if (has_graph) input.geodesic_k = geodesic_k_of(job.gromov, n, m);
  input.exact_linear = job.gromov.algorithm == "frank_wolfe";
  input.cost_bytes = bytes_of_cost(job, input.is_double);
  return input;
}

void add_gromov(const PlanInput& input, std::int64_t num_ranks, Collector& items) {
  const WideInt n = input.cells_per_slice[0], m = input.cells_per_slice[1], cells = n + m,
                scalar = input.is_double ? 8 : 4;
  add_reading(input, num_ranks, Collector::reading, items);
  items.add_fixed("points of both sides", Collector::always, false,
                  4 * (n * input.num_features + m * input.other_features));
  items.add_fixed("weights and labels", Collector::always, false, (3 * 8 + 4) * cells);
  if (input.shared_features > 0)
    items.add_fixed("shared features", Collector::reading | Collector::solving, false,
                    WideInt{input.shared_features} * (4 + 8) * cells);
  add_graph(input, cells, items);
  if (input.cost_bytes > 0) add_dense(input, n, m, scalar, items);
  else add_squared(input, n, m, scalar, items);
  items.add_fixed("potentials and sums", Collector::solving | Collector::writing, false, 8 * vectors_of_solver * cells);
  items.add_fixed("history of the iteration", Collector::solving, false, 8 * anderson_vectors * m);
  add_strips(input, m, items);
  add_writing(input, n, m, items);
}

}  // namespace thalweg
