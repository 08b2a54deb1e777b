#include "job/plan.hpp"

#include <algorithm>
#include <numeric>
#include <functional>

#include "distributed/error.hpp"
#include "job/plan_align.hpp"
#include "job/plan_embed.hpp"
#include "job/plan_export.hpp"
#include "job/plan_gromov.hpp"
#include "job/plan_items.hpp"
#include "job/plan_shapes.hpp"
#include "job/plan_transport.hpp"
#include "kernels/pass_layout.hpp"

namespace thalweg {

namespace {

constexpr WideInt matched_cells = 1024;                                           // linked exactly between two slices
constexpr WideInt state_copies = 8;        // current, best, trial and tilted states, of the sample and of all cells
constexpr WideInt coupling_workspace = 6;  // of an exact T step, in matrices

WideInt types_of(const PlanInput& input, std::size_t slice) {
  if (input.types.size() == 1) return input.types[0];
  if (input.types.size() != input.cells_per_slice.size())
    throw ConfigError(input.command + ".rank has " + std::to_string(input.types.size()) + " entries for " +
                      std::to_string(input.cells_per_slice.size()) + " times; give one number, or one per time");
  return input.types[slice];
}

WideInt most_types(const PlanInput& input) {
  WideInt most = 0;
  for (std::size_t t = 0; t < input.cells_per_slice.size(); ++t) most = std::max(most, types_of(input, t));
  return most;
}

/// Bytes of A, v, g, means of every slice and T, K of every pair.
WideInt state_bytes(const PlanInput& input) {
  WideInt doubles = 0;
  for (std::size_t t = 0; t < input.cells_per_slice.size(); ++t) {
    const WideInt r = types_of(input, t);
    doubles += 2 * input.num_features * r + 4 * r;
    if (t > 0) doubles += 2 * types_of(input, t - 1) * r;
  }
  return 8 * doubles;
}

/// Sample of every slice, its packed copy, the trajectories through it and the costs of linking them.
WideInt sample_bytes(const PlanInput& input, WideInt scalar) {
  const WideInt slices = static_cast<WideInt>(input.cells_per_slice.size()), p = input.num_features;
  WideInt sampled = input.subsample;
  for (const WideInt n : input.cells_per_slice) sampled = std::min(sampled, n);
  const WideInt matched = std::min(sampled, matched_cells);
  return slices * sampled * (p * (4 + scalar) + scalar) + sampled * p * 8 + matched * (slices + 2) * p * 8 +
         (input.coordinates > 0 ? 5 : 2) * 8 * matched * matched;
}

/// Sums and memberships of the threads of one pass on the host.
WideInt pass_scratch(const PlanInput& input, WideInt scalar) {
  const WideInt r = most_types(input), p = input.num_features, sums = 8 * ((p + 2) * r + r * r);
  const WideInt on_host = input.on_device ? 0 : input.threads * (2 * sums + 2 * granule_rows * r * scalar);
  return on_host + 3 * sums;
}

/// What the passes of every slice keep on a device: memberships of a chunk of rows, columns and sums.
WideInt device_scratch(const PlanInput& input, WideInt scalar) {
  const WideInt r = most_types(input), p = input.num_features;
  const WideInt chunk = granule_rows * blocks_of_chunk(static_cast<std::int64_t>(r), static_cast<std::int64_t>(scalar));
  WideInt bytes = 0;
  for (const WideInt n : input.cells_per_slice)
    bytes += scalar * r * std::min(chunk, ceil_divide(n, granule_rows) * granule_rows) + 8 * ((2 * p + 3) * r + r * r + 12 * p);
  return bytes;
}

void add_solving(const PlanInput& input, Collector& items) {
  const int held = Collector::solving | Collector::writing;
  const WideInt p = input.num_features, r = most_types(input), scalar = input.is_double ? 8 : 4;
  items.add_rows("features, packed", held, input.on_device, [=](const Rows& rows) { return scalar * p * rows.padded; });
  items.add_rows("weights, packed", held, input.on_device, [=](const Rows& rows) { return scalar * rows.padded; });
  const WideInt draw = input.weighted ? 16 : 8;
  items.add_rows("drawing of the sample", Collector::solving, false,
                 [=](const Rows& rows) { return draw * rows.of_largest_slice; });
  items.add_fixed("sample of the start", Collector::solving, false, sample_bytes(input, scalar));
  items.add_fixed("types and couplings", held, false,
                  state_copies * state_bytes(input) + 8 * coupling_workspace * r * r);
  items.add_fixed("scratch of a pass", Collector::solving, false, pass_scratch(input, scalar));
  if (input.on_device) items.add_fixed("scratch of a pass", held, true, device_scratch(input, scalar));
}

/// Columns exist in the order of the slices, in vectors that grew to at most twice their size, and in that of the file.
void add_writing(const PlanInput& input, Collector& items) {
  constexpr WideInt label_and_confidence = 2 * (4 + 8) + (1 + 8), row_number = 16, share = 3 * 4;
  const WideInt columns = label_and_confidence * input.num_clusterings + row_number + share * input.membership_columns;
  items.add_rows("columns of the result", Collector::writing, false,
                 [=](const Rows& rows) { return columns * rows.all; });
  constexpr WideInt plotted_cell = 2 * 8 + 2 * 4, counted_cell = 24;
  items.add_rows("cells on the embedding", Collector::writing, false,
                 [=](const Rows& rows) { return input.embedded ? (plotted_cell + 2 * counted_cell) * rows.all : 0; });
  add_result_buffers(items);
}

/// Points, names and columns of simulated cells; they are drawn where they are written.
void add_simulation(const PlanInput& input, Collector& items) {
  const WideInt p = input.num_features;
  items.add_rows("points", Collector::writing, false, [=](const Rows& rows) { return 4 * p * rows.all; });
  items.add_rows("names and columns", Collector::writing, false,
                 [](const Rows& rows) { return (32 + 8 + 8 + 8 + 4) * rows.all; });
  items.add_capped("output buffers", Collector::writing, 8 * text_block,
                   [](const Rows& rows) { return 64 * rows.all; });
  items.add_fixed("HDF5 buffers", Collector::writing, false, hdf5_buffers);
}

/// Of ranks that have NCCL: its own buffers, for which 512 MiB are allowed, and the largest message with one on its way
/// back: values of all cells, of dense costs for a panel of columns.
void add_messages(const PlanInput& input, Collector& items) {
  constexpr WideInt own_buffers = WideInt{512} << 20, widest_panel = 512;
  const WideInt cells = std::accumulate(input.cells_per_slice.begin(), input.cells_per_slice.end(), WideInt{0});
  const WideInt width = input.cost_bytes > 0 ? widest_panel : std::max<WideInt>(1, input.embedding_dim);
  items.add_fixed("messages between GPUs", Collector::solving | Collector::writing, true,
                  own_buffers + 2 * 8 * cells * width);
}

}  // namespace

PhaseBytes MemoryPlan::peak() const {
  PhaseBytes most;
  for (const PhaseBytes& phase : {reading, solving, writing}) {
    most.host = std::max(most.host, phase.host);
    most.device = std::max(most.device, phase.device);
    most.host_all_ranks = std::max(most.host_all_ranks, phase.host_all_ranks);
    most.device_all_ranks = std::max(most.device_all_ranks, phase.device_all_ranks);
  }
  return most;
}

MemoryPlan plan_memory(const PlanInput& input, std::int64_t num_ranks) {
  Collector items(input, num_ranks);
  items.add_fixed("program and libraries", Collector::always, false, input.on_device ? device_program : host_program);
  if (input.on_device && num_ranks > 1) add_messages(input, items);
  if (input.command == "simulate") {
    add_simulation(input, items);
  } else if (input.command == "transport") {
    add_transport(input, num_ranks, items);
  } else if (input.command == "gromov") {
    add_gromov(input, num_ranks, items);
    add_shapes(input, items);
  } else if (input.command == "embed train") {
    add_gromov(input, num_ranks, items);
    add_embed_train(input, items);
  } else if (input.command == "embed apply") {
    add_embed_apply(input, num_ranks, items);
  } else if (input.command == "align") {
    add_gromov(input, num_ranks, items);
    add_align(input, items);
  } else if (input.command == "export") {
    add_export(input, num_ranks, items);
  } else {
    add_reading(input, num_ranks, Collector::always, items);
    add_solving(input, items);
    add_writing(input, items);
  }
  return std::move(items).plan();
}

PassCost pass_cost(const PlanInput& input) {
  PassCost cost;
  const WideInt p = input.num_features;
  for (std::size_t t = 0; t < input.cells_per_slice.size(); ++t) {
    const WideInt r = types_of(input, t), n = input.cells_per_slice[t];
    cost.reduced_bytes += 8 * ((p + 2) * r + r * r);
    cost.flops += 4 * n * p * r + 2 * n * r * r;
  }
  return cost;
}

}  // namespace thalweg
