#include "job/plan_align.hpp"

#include <algorithm>
#include <functional>

#include "distributed/device.hpp"
#include "distributed/error.hpp"
#include "job/read_cells.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

PlanInput align_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.threads = context.threads;
  input.exact_linear = job.gromov.algorithm == "frank_wolfe";
  input.cost_bytes = job.align.cost == "sq_euclidean" ? 0 : input.is_double ? 8 : 4;
  for (const InputOptions& side : inputs_of_sides(job.input, job.source, job.target)) {
    const TimeSeriesRequest request = request_of(side, job.output, "");
    const AnnDataReader reader(comm, request.path);
    const StoredMatrix matrix = reader.matrix(request.features, "input.joint");
    input.num_features = input.other_features = matrix.num_columns();
    add_sizes(reader, matrix, request, input);
  }
  if (input.cells_per_slice.size() < 2)
    throw DataError("align has " + std::to_string(input.cells_per_slice.size()) + " slice in " +
                    job.input.file.front() +
                    "; two or more are needed; name them in input.days, or give [source] and [target]");
  std::sort(input.cells_per_slice.begin(), input.cells_per_slice.end(), std::greater<>());
  MultiStartSettings settings;
  settings.starts = job.gromov.starts;
  input.starts = settings.starts;
  input.kept_couplings = most_kept(settings, input.cells_per_slice.front()) - 1;
  return input;
}

void add_align(const PlanInput& input, Collector& items) {
  WideInt cells = 0;
  for (const std::int64_t size : input.cells_per_slice) cells += size;
  constexpr WideInt doubles_a_place = 3 * 3 + 4;  // places, aligned and warped; weight, match, confidence
  items.add_fixed("features and places of all slices", Collector::always, false,
                  cells * (4 * input.num_features + 8 * doubles_a_place));
  const WideInt n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  items.add_shares("costs between the slices", Collector::solving, 2 * 8 * n * m);
}

}  // namespace thalweg
