#include "job/plan_gromov.hpp"

#include <algorithm>

#include "distributed/device.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "job/coupling_top.hpp"
#include "job/exact_loss.hpp"
#include "job/gromov_costs.hpp"
#include "job/gromov_init.hpp"
#include "job/intra_factors.hpp"
#include "job/memory_limit.hpp"
#include "job/point_pairs.hpp"
#include "job/read_cells.hpp"
#include "solvers/gromov/column_panels.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

namespace {

constexpr WideInt vectors_of_solver = 40;   // f, g, weights, references, sums and their copies, of up to three problems
constexpr WideInt anderson_vectors = 16;    // of targets
constexpr WideInt fitted_per_landmark = 5;  // cells whose distances to each other fit a factor
constexpr WideInt landmark_copies = 5;      // of the distances to landmarks, on their way to a basis

/// Widths of the matrices of one side.
struct SideShape {
  std::int64_t features = 0;
  std::int64_t factor = 0;  // columns of U, where the costs are given as U V^T
};

/// Adds the sizes of one request.
SideShape add_side(const Communicator& comm, const TimeSeriesRequest& request, PlanInput& input) {
  const AnnDataReader reader(comm, request.path);
  const StoredMatrix matrix = reader.matrix(request.features, "input.joint");
  add_sizes(reader, matrix, request, input);
  return {matrix.num_columns(), 0};
}

/// Looks for the matrices that the costs of a side are in, so that a job without them stops here.
void add_given_costs(const Communicator& comm, const std::string& path, const IntraCostOptions& own,
                     const std::string& side, SideShape& shape) {
  const AnnDataReader reader(comm, path);
  if (own.cost.starts_with("obsp/")) reader.matrix(own.cost, side + ".cost");
  for (const std::string& key : own.factors) shape.factor = reader.matrix(key, side + ".factors").num_columns();
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

/// Rows that a device multiplies and panels of their products in its memory, with what cuBLAS works in on Hopper; what
/// is on its way there and back. At small epsilon linear problems go on in float64, when nothing is multiplied. Exact steps
/// and losses of embeddings multiply whole matrices, at another time.
void add_device_products(const PlanInput& input, WideInt n, WideInt m, std::int64_t num_ranks, Collector& items) {
  constexpr WideInt workspace = 32 << 20;
  const WideInt scalar = input.is_double ? 8 : 4, blocks = (n + granule_rows - 1) / granule_rows;
  const WideInt rows = (blocks + num_ranks - 1) / num_ranks * granule_rows;
  const WideInt width = std::min<WideInt>(widest_columns, m), depth = std::min<WideInt>(depth_columns, std::max(n, m));
  const WideInt panels = rows * (n + m) * scalar + width * ((n + m) * scalar + 2 * rows * (scalar + 8));
  const bool are_whole = input.exact_linear || input.embedding_dim > 0;
  const WideInt whole = are_whole ? rows * m * (scalar + 8) + depth * (rows + m) * scalar : 0;
  const WideInt float64 = input.is_double ? 0 : 2 * 8 * rows * m;
  items.add_fixed("products of matrices, or linear costs in float64", Collector::solving, true,
                  std::max(std::max(panels, whole) + workspace, float64));
  items.add_fixed("products on their way", Collector::solving, false, rows * (depth * scalar + width * 8));
}

/// Linear costs in the orders of both passes of a device; one of them comes from the hosts of several ranks.
void add_turned(WideInt n, WideInt m, WideInt scalar, std::int64_t num_ranks, Collector& items) {
  const int phases = Collector::solving | Collector::writing;
  items.add_fixed("linear costs, packed both ways", phases, true, 2 * scalar * ceil_divide(n * m, num_ranks));
  if (num_ranks > 1) items.add_shares("linear costs of columns", phases, 2 * scalar * n * m);
}

/// Stored costs within the sides, and linear costs between them, of rows that a rank owns: those of a solve, beside
/// them the K of the starts before. Panels of columns on every rank.
void add_dense(const PlanInput& input, WideInt n, WideInt m, std::int64_t num_ranks, Collector& items) {
  const WideInt scalar = input.is_double ? 8 : 4;
  const WideInt cost = input.cost_bytes;
  items.add_shares("costs within the sides", Collector::solving, cost * (n * n + m * m));
  items.add_shares("linear costs", Collector::solving, 2 * scalar * n * m);
  items.add_shares("linear costs of steps taken back", Collector::solving, (input.linear_costs - 2) * scalar * n * m);
  items.add_shares("linear costs", Collector::writing, scalar * n * m);
  items.add_shares("couplings of other starts", Collector::solving | Collector::writing,
                   input.kept_couplings * scalar * n * m);
  if (input.on_device) add_turned(n, m, scalar, num_ranks, items);
  if (input.shared_features > 0) {
    items.add_shares("linear costs between the sides", Collector::solving, scalar * n * m);
    items.add_shares("linear costs as formed", Collector::solving,
                     std::max<WideInt>(0, (8 - input.linear_costs * scalar) * n * m));
  }
  // P, C_X P C_Y, a vertex, the change and K in float64, and K of P for the result.
  if (input.exact_linear) {
    items.add_shares("couplings of exact steps", Collector::solving, 6 * 8 * n * m);
    items.add_fixed("exact linear problem", Collector::solving, false, 3 * 8 * n * m);
  }
  const WideInt width = std::min<WideInt>(widest_columns, m), depth = std::min<WideInt>(depth_columns, std::max(n, m));
  items.add_fixed("panels of products", Collector::solving, false,
                  width * (m * (scalar + cost) + (num_ranks > 1 ? 2 : 1) * n * scalar) +
                      input.threads * granule_rows * (depth * scalar + width * (2 * scalar + 8)));
  if (input.on_device) add_device_products(input, n, m, num_ranks, items);
}

/// Inner products of both sides, packed once an outer step, two at a time.
void add_squared(const PlanInput& input, WideInt n, WideInt m, WideInt scalar, Collector& items) {
  const WideInt width = input.other_features + 1 + input.shared_features;
  items.add_fixed("points in float64", Collector::solving, false,
                  8 * (4 * n * input.num_features + 5 * m * width + 2 * n * width));
  items.add_fixed("points, packed", Collector::solving | Collector::writing, input.on_device,
                  (2 + input.kept_couplings) * (2 * n + m) * width * (scalar + (input.is_double ? 0 : 8)));
}

MultiStartSettings starts_of(const GromovOptions& options) {
  MultiStartSettings settings;
  settings.starts = options.starts;
  settings.exchange_groups = options.exchange_groups;
  return settings;
}

/// Of the starts before, and in a sweep those of all its epsilons for the k before and this one, and linear costs.
std::int64_t kept_couplings_of(const Job& job, std::int64_t most_cells) {
  const auto epsilons = static_cast<std::int64_t>(std::max<std::size_t>(1, job.sweep.epsilon.size()));
  return most_kept(starts_of(job.gromov), most_cells) - 1 + (job.sweep.is_given() ? 2 * epsilons + 1 : 0);
}

/// Linear costs of a solve at once: K and K(P), and from the first rise of F on that of the state that a step began at.
std::int64_t linear_costs_of(const GromovOptions& options) {
  if (options.mode == "unbalanced") return 5;
  return options.regularisation == "proximal" ? 4 : 3;
}

/// Problems of a few cells of both sides, their couplings and starts; distributions of distances of all cells.
/// @param freed   bytes of a rank that a solve needs and these do not, which come before or after it
void add_starts(const PlanInput& input, WideInt n, WideInt m, WideInt freed, Collector& items) {
  const WideInt x = std::min<WideInt>(n, MultiStartSettings{}.anchors),
                y = std::min<WideInt>(m, MultiStartSettings{}.anchors);
  const WideInt side = std::max(x, y);
  if (input.starts > 1) {
    items.add_fixed("starts", Collector::solving, false, 4 * input.starts * x * y + 12 * 8 * side * side);
    items.add_fixed("rows of their couplings", Collector::solving, false, 4 * MultiStartSettings{}.carried * x * m);
  }
  if (input.is_sweep) items.add_fixed("rows of two couplings", Collector::solving, false, 2 * 8 * granule_rows * m);
  items.add_fixed("distributions of distances", Collector::solving, false,
                  std::max<WideInt>(0, 5 * 8 * num_quantile_bins * (n + m) - freed));
}

/// Factors of both sides, as made and centred, and inner products of them, packed once an outer step, two at a time.
void add_factors(const PlanInput& input, WideInt n, WideInt m, WideInt num_ranks, Collector& items) {
  const WideInt scalar = input.is_double ? 8 : 4;
  const WideInt p = input.factor_columns, q = input.other_factor_columns + input.shared_features;
  items.add_fixed("factors of both sides", Collector::solving | Collector::writing, false, 8 * (n * p + m * q));
  items.add_fixed("factors, centred", Collector::solving, false, 8 * (n * p + m * q) + 3 * 8 * n * q);
  items.add_fixed("factors, packed", Collector::solving | Collector::writing, input.on_device,
                  (2 + input.kept_couplings) * (2 * n + m) * q * (scalar + (input.is_double ? 0 : 8)));
  if (input.landmarks == 0) return;
  const WideInt searched = std::min<WideInt>(input.landmarks, std::max(n, m)),
                fitted = std::min(fitted_per_landmark * searched, std::max(n, m));
  items.add_shares("distances to landmarks", Collector::solving, 8 * landmark_copies * searched * std::max(n, m));
  items.add_fixed("fit of the factors", Collector::solving, false, 8 * fitted * (2 * fitted + 4 * searched));
  const WideInt s = std::min<WideInt>(n, exact_cells), t = std::min<WideInt>(m, exact_cells);
  const WideInt products = 3 * 8 * s * t;
  const WideInt whole = 2 * 8 * std::max({s * s, t * t, s * t});  // on its way to the rows that a rank owns
  items.add_shares("exact loss of a sample", Collector::writing, 4 * (s * s + t * t) + products);
  items.add_fixed("sample on its way", Collector::writing, false,
                  num_ranks == 1 ? std::max<WideInt>(0, whole - products) : whole);  // of one rank before the products
}

/// A coupling to begin from, and its entries by rows.
void add_given(const PlanInput& input, WideInt cells, Collector& items) {
  if (input.given_entries == 0) return;
  constexpr WideInt bytes_of_entry = 3 * 8, bytes_of_name = 100;
  items.add_fixed("coupling to begin from", Collector::reading | Collector::solving, false,
                  2 * bytes_of_entry * input.given_entries);
  items.add_fixed("names of cells", Collector::reading, false, bytes_of_name * cells + 2 * 4 * input.given_entries);
  items.add_shares("rows of that coupling", Collector::solving, 2 * 16 * input.given_entries);
}

/// @param freed   as above: searches end before a solve begins
void add_graph(const PlanInput& input, WideInt cells, WideInt freed, Collector& items) {
  if (input.geodesic_k == 0) return;
  const WideInt bytes = (3 * 4 + 2 * 12) * WideInt{input.geodesic_k} * cells;
  items.add_fixed("graphs of neighbours", input.low_rank ? Collector::solving | Collector::writing : Collector::solving,
                  false, std::max<WideInt>(0, bytes - freed));
}

void add_writing(const PlanInput& input, WideInt n, WideInt m, Collector& items) {
  const WideInt p = input.num_features, q = input.other_features, cells = n + m;
  const WideInt alignments = input.kept_couplings > 0 ? 2 : 1;  // and one of nearly the same F
  items.add_fixed("projections", Collector::writing, false,
                  (1 + alignments) * 8 * (n * q + m * p) + 2 * 8 * (n * p + m * q));
  items.add_fixed("rows of the coupling", Collector::writing, false, 3 * 8 * granule_rows * m);
  items.add_rows("largest entries of rows", Collector::writing, false,
                 [=](const Rows& rows) { return 3 * (8 + 4) * std::min<WideInt>(most_top_partners, m) * rows.all; });
  if (input.writes_coupling) items.add_shares("coupling as written", Collector::writing, 3 * 4 * n * m);
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
  std::vector<InputOptions> sides = inputs_of_sides(job.input, job.source, job.target);
  std::vector<SideShape> shapes;
  for (const InputOptions& side : sides) shapes.push_back(add_side(comm, request_of(side, job.output, ""), input));
  if (shapes.size() == 1) {
    sides.push_back(sides.front());
    shapes.push_back(shapes.front());
  }
  add_given_costs(comm, sides.front().file.front(), job.source_costs, "source", shapes.front());
  add_given_costs(comm, sides.back().file.front(), job.target_costs, "target", shapes.back());
  input.num_features = shapes.front().features;
  input.other_features = shapes.back().features;
  if (!job.gromov.linear.empty()) input.shared_features = width_of(comm, job);
  else if (!job.shapes.anchors.empty()) input.shared_features = num_paired_cells(comm, job.shapes.anchors);
  check_two_sides("gromov", input.cells_per_slice.size(), job.input.file.front());
  const bool has_graph = job.source_costs.cost == "geodesic" || job.target_costs.cost == "geodesic";
  const std::int64_t n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  if (has_graph) input.geodesic_k = geodesic_k_of(job.gromov, n, m);
  input.exact_linear = job.gromov.algorithm == "frank_wolfe";
  for (const std::int64_t k : job.sweep.geodesic_k) input.geodesic_k = std::max(input.geodesic_k, k);
  input.cost_bytes = bytes_of_cost(job, input.is_double);
  input.starts = job.gromov.starts + num_exchanges(starts_of(job.gromov));
  input.kept_couplings = kept_couplings_of(job, std::max(n, m));
  input.linear_costs = linear_costs_of(job.gromov);
  input.is_sweep = job.sweep.is_given();
  input.writes_coupling = job.gromov.coupling == "dense";
  if (!job.gromov.init.empty()) input.given_entries = most_start_entries(comm, job);
  if (input.writes_coupling) check_matrix_size(n, m);
  if (job.gromov.storage == "dense" || !may_be_factors(job)) return input;
  PlanInput factored = input;
  factored.low_rank = true;
  factored.landmarks = has_graph ? job.gromov.landmarks : 0;
  factored.factor_columns =
      most_factor_columns(job.gromov, job.source_costs, n, shapes.front().features, shapes.front().factor);
  factored.other_factor_columns =
      most_factor_columns(job.gromov, job.target_costs, m, shapes.back().features, shapes.back().factor);
  if (job.gromov.storage == "low_rank" || are_factors(job)) return factored;
  return fits(input, comm.size(), memory_budget(comm, job.run, input.on_device).bytes) ? input : factored;
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
  const bool is_dense = !input.low_rank && input.cost_bytes > 0;
  const WideInt freed = is_dense ? scalar * n * m / num_ranks : 0;  // K(P)
  add_graph(input, cells, freed, items);
  if (input.low_rank) add_factors(input, n, m, num_ranks, items);
  else if (is_dense) add_dense(input, n, m, num_ranks, items);
  else add_squared(input, n, m, scalar, items);
  add_starts(input, n, m, freed, items);
  add_given(input, cells, items);
  items.add_fixed("potentials and sums", Collector::solving | Collector::writing, false, 8 * vectors_of_solver * cells);
  items.add_fixed("history of the iteration", Collector::solving, false, 8 * anderson_vectors * m);
  add_strips(input, m, items);
  add_writing(input, n, m, items);
}

}  // namespace thalweg
