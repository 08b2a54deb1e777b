#include "job/plan.hpp"

#include <algorithm>
#include <functional>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

constexpr WideInt mebibyte = 1 << 20;
constexpr WideInt block_rows = 256;  // of packed features; rows go to ranks in whole blocks
constexpr WideInt exchange_cap = 256 * mebibyte;
constexpr WideInt text_block = 64 * mebibyte;  // of names on their way to rank 0
constexpr WideInt hdf5_buffers = 16 * mebibyte;
constexpr WideInt host_program = 64 * mebibyte, device_program = 512 * mebibyte;  // libraries, with a device its driver
constexpr WideInt matched_cells = 1024;                                           // linked exactly between two slices
constexpr WideInt state_copies = 8;        // current, best, trial and tilted states, of the sample and of all cells
constexpr WideInt coupling_workspace = 6;  // of an exact T step, in matrices
constexpr WideInt name_bytes = 80;         // of a cell name in memory
constexpr WideInt resident_teams = 1024;   // of a device

WideInt ceil_divide(WideInt a, WideInt b) { return (a + b - 1) / b; }

/// Rows of one rank, or of all: as they are, and filled up to whole blocks.
struct Rows {
  WideInt all = 0, padded = 0;
  WideInt of_largest_slice = 0;
  WideInt file = 0;  // rows of the file
};

// The last rank owns ceil(blocks / ranks) blocks of every slice, the most that any rank owns.
Rows rows_of_fullest(const PlanInput& input, WideInt num_ranks) {
  Rows rows;
  WideInt cells = 0;
  for (const WideInt n : input.cells_per_slice) {
    const WideInt padded = ceil_divide(ceil_divide(n, block_rows), num_ranks) * block_rows, mine = std::min(n, padded);
    rows.all += mine;
    rows.padded += padded;
    rows.of_largest_slice = std::max(rows.of_largest_slice, mine);
    cells += n;
  }
  rows.file = ceil_divide(std::max(cells, WideInt{input.num_obs}), num_ranks);
  return rows;
}

Rows rows_of_all(const PlanInput& input) {
  Rows rows;
  for (const WideInt n : input.cells_per_slice) {
    rows.all += n;
    rows.padded += ceil_divide(n, block_rows) * block_rows;
    rows.of_largest_slice = std::max(rows.of_largest_slice, n);
  }
  rows.file = std::max(rows.all, WideInt{input.num_obs});
  return rows;
}

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

/// Collects items; what grows with the rows is asked for the fullest rank and for all.
class Collector {
 public:
  enum Phases { reading = 1, solving = 2, writing = 4, always = 7 };
  using Bytes = std::function<WideInt(const Rows&)>;

  Collector(const PlanInput& input, WideInt num_ranks)
      : fullest_(rows_of_fullest(input, num_ranks)), all_(rows_of_all(input)), num_ranks_(num_ranks) {}

  void add_rows(const std::string& name, int phases, bool on_device, const Bytes& bytes) {
    add(name, phases, on_device, bytes(fullest_), bytes(all_));
  }
  /// Shared out evenly.
  void add_shares(const std::string& name, int phases, WideInt bytes) {
    add(name, phases, false, ceil_divide(bytes, num_ranks_), bytes);
  }
  /// The same on every rank.
  void add_fixed(const std::string& name, int phases, bool on_device, WideInt bytes) {
    add(name, phases, on_device, bytes, bytes * num_ranks_);
  }
  /// Buffers: what the rows of a rank need, at most `cap` a rank.
  void add_capped(const std::string& name, int phases, WideInt cap, const Bytes& bytes) {
    const WideInt mine = std::min(cap, bytes(fullest_));
    add(name, phases, false, mine, mine * num_ranks_);
  }

  MemoryPlan plan() && {
    for (const MemoryItem& item : plan_.items) {
      if (item.while_reading) add_to(item, plan_.reading);
      if (item.while_solving) add_to(item, plan_.solving);
      if (item.while_writing) add_to(item, plan_.writing);
    }
    return std::move(plan_);
  }

 private:
  void add(const std::string& name, int phases, bool on_device, WideInt bytes, WideInt all_ranks) {
    if (bytes == 0) return;
    plan_.items.push_back(
        {name, on_device, (phases & reading) != 0, (phases & solving) != 0, (phases & writing) != 0, bytes, all_ranks});
  }
  static void add_to(const MemoryItem& item, PhaseBytes& phase) {
    (item.on_device ? phase.device : phase.host) += item.bytes;
    (item.on_device ? phase.device_all_ranks : phase.host_all_ranks) += item.all_ranks;
  }

  Rows fullest_, all_;
  WideInt num_ranks_;
  MemoryPlan plan_;
};

/// What reading leaves behind, and what it needs on the way.
void add_reading(const PlanInput& input, std::int64_t num_ranks, Collector& items) {
  const WideInt p = input.num_features;
  items.add_rows("features as read", Collector::always, false, [=](const Rows& rows) { return 4 * p * rows.all; });
  const WideInt columns = 16 + (input.labelled ? 4 : 0) + (input.weighted ? 8 : 0) + (input.embedded ? 8 : 0);
  items.add_rows("rows, labels, weights, coordinates", Collector::always, false,
                 [=](const Rows& rows) { return columns * rows.all; });
  items.add_shares("given memberships", Collector::always, 4 * WideInt{input.given_shares});
  items.add_rows("routes of the rows", Collector::reading, false, [](const Rows& rows) { return 24 * rows.file; });
  items.add_shares("sparse rows", Collector::reading, 20 * WideInt{input.stored_entries});
  const WideInt copies = num_ranks == 1 ? 1 : 3;  // a block as read; with others also as sent and as received
  items.add_capped("exchange buffers", Collector::reading, copies * exchange_cap,
                   [=](const Rows& rows) { return copies * (4 * p + 8) * rows.file; });
}

/// Sample of every slice, its packed copy, the trajectories through it and the costs of linking them.
WideInt sample_bytes(const PlanInput& input, WideInt scalar) {
  const WideInt slices = static_cast<WideInt>(input.cells_per_slice.size()), p = input.num_features;
  WideInt sampled = input.subsample;
  for (const WideInt n : input.cells_per_slice) sampled = std::min(sampled, n);
  const WideInt matched = std::min(sampled, matched_cells);
  return slices * sampled * (p * (4 + scalar) + scalar) + sampled * p * 8 + matched * (slices + 2) * p * 8 +
         2 * 8 * matched * matched;
}

/// Sums and memberships of the threads of one pass on the host.
WideInt pass_scratch(const PlanInput& input, WideInt scalar) {
  const WideInt r = most_types(input), p = input.num_features, sums = 8 * ((p + 2) * r + r * r);
  const WideInt on_host = input.on_device ? 0 : input.threads * (2 * sums + 2 * block_rows * r * scalar);
  return on_host + 3 * sums;
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
  if (input.on_device)
    items.add_fixed("scratch of a pass", Collector::solving, true,
                    resident_teams * (r + 2) * block_rows * scalar + 16 * ((p + 2) * r + r * r));
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
  items.add_rows("names of cells", Collector::writing, false, [](const Rows& rows) { return name_bytes * rows.all; });
  items.add_capped("output buffers", Collector::writing, 3 * text_block,
                   [](const Rows& rows) { return name_bytes * rows.all; });
  items.add_fixed("HDF5 buffers", Collector::reading | Collector::writing, false, hdf5_buffers);
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
  if (input.command == "simulate") {
    add_simulation(input, items);
  } else {
    add_reading(input, num_ranks, items);
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
