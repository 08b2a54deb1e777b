#include "job/plan_input.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "distributed/device.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "io/cell_selection.hpp"
#include "job/plan_align.hpp"
#include "job/plan_embed.hpp"
#include "job/plan_export.hpp"
#include "job/plan_gromov.hpp"
#include "job/plan_shapes.hpp"
#include "job/plan_transport.hpp"
#include "io/slice_features.hpp"
#include "job/labelled_slices.hpp"
#include "job/read_cells.hpp"
#include "job/shape_side.hpp"
#include "job/simulation/cell_model.hpp"

namespace thalweg {

namespace {

/// Appends the slices that a request reads; adds rows, features and stored entries.
void add_slices(const Communicator& comm, const TimeSeriesRequest& request, PlanInput& input) {
  const AnnDataReader reader(comm, request.path);
  const StoredMatrix matrix = open_features(reader, request.features);
  if (input.num_features != 0 && input.num_features != matrix.num_columns())
    throw DataError(request.features + " of " + request.path + " has " + std::to_string(matrix.num_columns()) +
                    " columns, that of the other side " + std::to_string(input.num_features) +
                    "; give keys of the same features with source.key and target.key, or set lowrank.objective = \"gw\"");
  input.num_features = matrix.num_columns();
  input.embedded |= find_embedding(reader, request).has_value();
  add_sizes(reader, matrix, request, input);
}

/// Columns of phi that coordinates within slices fill, and their squares. @param columns   of the widest slice
void add_coordinates(std::int64_t columns, PlanInput& input) {
  input.coordinates = columns;
  input.num_features += columns + 1;
}

std::int64_t columns_of(const Communicator& comm, const InputOptions& input, const std::string& key, const std::string& option) {
  return AnnDataReader(comm, input.file.front()).matrix(key, option).num_columns();
}

/// What all solvers share.
PlanInput shared_input(const JobContext& context) {
  const Job& job = context.job;
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.weighted = !job.input.weights.empty() || !job.source.weights.empty() || !job.target.weights.empty();
  input.labelled = !job.input.annotation.empty();
  input.threads = context.threads;
  return input;
}

/// One type a category where labels fix the types; text columns tell their categories only when read.
void use_types_of_labels(const Communicator& comm, const Job& job, PlanInput& input) {
  if (job.hmot.mode != "supervised" || job.input.annotation.empty()) return;
  const AnnDataReader reader(comm, job.input.file.front());
  const Column column = reader.column(job.input.annotation, "input.annotation");
  if (!column.categories.empty()) input.types = {static_cast<std::int64_t>(column.categories.size())};
}

/// Columns of given memberships are the types of their slices.
void use_given_memberships(const Communicator& comm, const JobContext& context, PlanInput& input) {
  const HmOtOptions& options = context.job.hmot;
  if (options.fix_q.empty()) return;
  const TimeSeriesRequest request = request_of(context.job.input, context.job.output, "");
  const AnnDataReader reader(comm, request.path);
  std::vector<std::string> names;
  for (const auto& slice : select_cells(reader, {request.time_key, request.days, request.filter}).slices) names.push_back(slice.name);
  if (input.types.size() == 1) input.types.assign(names.size(), input.types[0]);
  for (const auto& [time, key] : options.fix_q) {
    const std::size_t t = find_slice(names, time, "hmot.fix.q");
    const std::int64_t columns = reader.matrix(key, "hmot.fix.q").num_columns();
    input.given_shares += input.cells_per_slice[t] * columns;
    if (t < input.types.size()) input.types[t] = columns;
  }
}

PlanInput hm_ot_input(const Communicator& comm, const JobContext& context) {
  const HmOtOptions& options = context.job.hmot;
  PlanInput input = shared_input(context);
  add_slices(comm, request_of(context.job.input, context.job.output, ""), input);
  input.types = options.rank;
  input.starts = options.restarts + 1;
  input.subsample = options.subsample;
  std::set<std::string> clusterings(options.clusterings.begin(), options.clusterings.end());
  clusterings.insert("ml");
  input.num_clusterings = static_cast<std::int64_t>(clusterings.size());
  input.labelled = input.labelled || !options.score_annotation.empty();
  use_types_of_labels(comm, context.job, input);
  use_given_memberships(comm, context, input);
  if (options.alpha > 0.0) {
    if (options.alpha == 1.0) input.num_features = 0;
    add_coordinates(columns_of(comm, context.job.input, context.job.input.spatial, "input.spatial"), input);
  }
  const std::int64_t most = *std::max_element(input.types.begin(), input.types.end());
  input.membership_columns = (clusterings.contains("terminal") ? input.types.back() : 0) + (options.write_q ? most : 0);
  return input;
}

PlanInput low_rank_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input = shared_input(context);
  const std::string& objective = job.lowrank.objective;
  std::int64_t coordinates = 0;
  for (const InputOptions& side : inputs_of_sides(job.input, job.source, job.target)) {
    if (objective == "gw") input.num_features = 0;  // sides may differ in theirs
    add_slices(comm, request_of(side, job.output, ""), input);
    if (objective == "gw") coordinates = std::max(coordinates, input.num_features);
    if (objective == "fgw") coordinates = std::max(coordinates, columns_of(comm, side, side.spatial, "input.spatial"));
  }
  if (objective == "gw") input.num_features = 0;
  if (coordinates > 0) add_coordinates(coordinates, input);
  check_two_sides("lowrank", input.cells_per_slice.size(), job.input.file.front());
  input.types = job.lowrank.rank;
  input.starts = job.lowrank.restarts + 1;
  const std::int64_t most = *std::max_element(input.types.begin(), input.types.end());
  input.membership_columns = job.lowrank.write_q ? most : 0;
  return input;
}

PlanInput simulate_input(const JobContext& context) {
  const auto model = make_cell_model(context.job.simulate, static_cast<std::uint64_t>(context.job.run.seed));
  const CellLayout& layout = model->layout();
  PlanInput input;
  input.command = context.command;
  input.cells_per_slice.assign(layout.times.size(), layout.cells_per_time);
  input.num_features = layout.dimensions;
  return input;
}

}  // namespace

PlanInput read_plan_input(const Communicator& comm, const JobContext& context) {
  if (context.command == "hmot") return hm_ot_input(comm, context);
  if (context.command == "lowrank") return low_rank_input(comm, context);
  if (context.command == "transport") return transport_input(comm, context);
  if (context.command == "export") return export_plan_input(comm, context, without_labels(read_result(comm, context.job.analysed.result)));
  if (context.command == "gromov" && are_shapes(context.job)) return shape_input(comm, context);
  if (context.command == "gromov") return gromov_input(comm, context);
  if (context.command == "embed train") return embed_train_input(comm, context);
  if (context.command == "embed apply") return embed_apply_input(comm, context);
  if (context.command == "align") return align_input(comm, context);
  if (context.command == "simulate") return simulate_input(context);
  throw ConfigError("command '" + context.command + "' has no plan; available: hmot, lowrank, transport, gromov, embed train, embed apply, align, export, simulate");
}

}  // namespace thalweg
