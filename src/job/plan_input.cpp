#include "job/plan_input.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "distributed/device.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "io/cell_selection.hpp"
#include "job/simulation/cell_model.hpp"

namespace thalweg {

namespace {

struct SliceSize {
  TimePoint point;
  std::int64_t cells = 0;
};

/// Cells of some files, as one side or one series of them.
struct Cells {
  std::vector<std::string> files;
  std::string features;
  SelectionRequest selection;
};

void add_slice(const TimePoint& point, std::int64_t cells, std::vector<SliceSize>& slices) {
  const auto found =
      std::find_if(slices.begin(), slices.end(), [&](const SliceSize& slice) { return slice.point.name == point.name; });
  if (found == slices.end()) slices.push_back({point, cells});
  else found->cells += cells;
}

/// Sizes of the slices over all files; adds rows, features and stored entries to `input`.
std::vector<SliceSize> read_slices(const Communicator& comm, const Cells& cells, PlanInput& input) {
  std::vector<SliceSize> slices;
  for (const std::string& path : cells.files) {
    const AnnDataReader reader(comm, path);
    const StoredMatrix matrix = reader.matrix(cells.features, "input.joint");
    if (input.num_features != 0 && input.num_features != matrix.num_columns())
      throw DataError(cells.features + " of " + path + " has " + std::to_string(matrix.num_columns()) +
                      " columns; other input has " + std::to_string(input.num_features) + "; give files of equal features");
    input.num_features = matrix.num_columns();
    input.num_obs += reader.num_obs();
    if (matrix.is_sparse()) input.stored_entries += reader.file().object(matrix.key() + "/data").num_elements();
    const Selection selection = select_cells(reader, cells.selection);
    for (std::size_t s = 0; s < selection.slices.size(); ++s)
      add_slice(selection.slices[s], selection.slice_sizes[s], slices);
  }
  if (cells.selection.days.empty())
    std::stable_sort(slices.begin(), slices.end(),
                     [](const SliceSize& a, const SliceSize& b) { return a.point.time < b.point.time; });
  return slices;
}

Cells all_cells(const InputOptions& input) { return {input.file, input.joint, {input.time_key, input.days, input.filter}}; }

Cells cells_of_side(const SideOptions& side, const InputOptions& input) {
  return {side.file.empty() ? input.file : side.file, side.key.empty() ? input.joint : side.key,
          {"", {}, side.filter.empty() ? input.filter : side.filter}};
}

bool is_given(const SideOptions& side) {
  return !side.file.empty() || !side.filter.empty() || !side.key.empty() || !side.weights.empty();
}

/// What all solvers share.
PlanInput shared_input(const JobContext& context) {
  const Job& job = context.job;
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.weighted = !job.input.weights.empty();
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

PlanInput hm_ot_input(const Communicator& comm, const JobContext& context) {
  const HmOtOptions& options = context.job.hmot;
  PlanInput input = shared_input(context);
  for (const SliceSize& slice : read_slices(comm, all_cells(context.job.input), input))
    input.cells_per_slice.push_back(slice.cells);
  input.types = options.rank;
  input.subsample = options.subsample;
  input.num_clusterings = 1 + static_cast<std::int64_t>(options.clusterings.size());
  use_types_of_labels(comm, context.job, input);
  const std::int64_t most = *std::max_element(input.types.begin(), input.types.end());
  const bool has_fates = std::count(options.clusterings.begin(), options.clusterings.end(), "terminal") != 0;
  input.membership_columns = (has_fates ? input.types.back() : 0) + (options.write_q ? most : 0);
  return input;
}

PlanInput low_rank_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input = shared_input(context);
  const bool has_sides = is_given(job.source) || is_given(job.target);
  std::vector<SliceSize> sides;
  if (!has_sides) {
    sides = read_slices(comm, all_cells(job.input), input);
  } else {
    for (const SideOptions* side : {&job.source, &job.target})
      for (const SliceSize& slice : read_slices(comm, cells_of_side(*side, job.input), input)) sides.push_back(slice);
  }
  if (sides.size() != 2)
    throw ConfigError("lowrank has " + std::to_string(sides.size()) + " times in " + job.input.file.front() +
                      "; two sides are needed; name two times in input.days, or give [source] and [target]");
  for (const SliceSize& side : sides) input.cells_per_slice.push_back(side.cells);
  input.types = job.lowrank.rank;
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
  if (context.command == "simulate") return simulate_input(context);
  throw ConfigError("command '" + context.command + "' has no plan; available: hmot, lowrank, simulate");
}

}  // namespace thalweg
