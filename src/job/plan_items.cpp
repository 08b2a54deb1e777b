#include "job/plan_items.hpp"

#include <algorithm>

#include "geometry/last_level_cache.hpp"
#include "geometry/strip_height.hpp"
#include "io/cell_selection.hpp"
#include "kernels/pair_strip_host.hpp"

namespace thalweg {

namespace {

// The last rank owns ceil(blocks / ranks) blocks of every slice, the most that any rank owns.
Rows rows_of_fullest(const PlanInput& input, WideInt num_ranks) {
  Rows rows;
  WideInt cells = 0;
  for (const WideInt n : input.cells_per_slice) {
    const WideInt padded = ceil_divide(ceil_divide(n, granule_rows), num_ranks) * granule_rows, mine = std::min(n, padded);
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
    rows.padded += ceil_divide(n, granule_rows) * granule_rows;
    rows.of_largest_slice = std::max(rows.of_largest_slice, n);
  }
  rows.file = std::max(rows.all, WideInt{input.num_obs});
  return rows;
}

void add_to(const MemoryItem& item, PhaseBytes& phase) {
  (item.on_device ? phase.device : phase.host) += item.bytes;
  (item.on_device ? phase.device_all_ranks : phase.host_all_ranks) += item.all_ranks;
}

}  // namespace

Collector::Collector(const PlanInput& input, WideInt num_ranks)
    : fullest_(rows_of_fullest(input, num_ranks)), all_(rows_of_all(input)), num_ranks_(num_ranks) {}

void Collector::add_rows(const std::string& name, int phases, bool on_device, const Bytes& bytes) {
  add(name, phases, on_device, bytes(fullest_), bytes(all_));
}

void Collector::add_shares(const std::string& name, int phases, WideInt bytes) {
  add(name, phases, false, ceil_divide(bytes, num_ranks_), bytes);
}

void Collector::add_fixed(const std::string& name, int phases, bool on_device, WideInt bytes) {
  add(name, phases, on_device, bytes, bytes * num_ranks_);
}

void Collector::add_copied(const std::string& name, int phases, bool on_device, WideInt bytes) {
  add_fixed(name, phases, false, bytes);
  if (on_device) add_fixed(name + ", on the device", phases, true, bytes);
}

void Collector::add_capped(const std::string& name, int phases, WideInt cap, const Bytes& bytes) {
  const WideInt mine = std::min(cap, bytes(fullest_));
  add(name, phases, false, mine, mine * num_ranks_);
}

MemoryPlan Collector::plan() && {
  for (const MemoryItem& item : plan_.items) {
    if (item.while_reading) add_to(item, plan_.reading);
    if (item.while_solving) add_to(item, plan_.solving);
    if (item.while_writing) add_to(item, plan_.writing);
  }
  return std::move(plan_);
}

void Collector::add(const std::string& name, int phases, bool on_device, WideInt bytes, WideInt all_ranks) {
  if (bytes == 0) return;
  plan_.items.push_back(
      {name, on_device, (phases & reading) != 0, (phases & solving) != 0, (phases & writing) != 0, bytes, all_ranks});
}

void add_sizes(const AnnDataReader& reader, const StoredMatrix& features, const TimeSeriesRequest& request, PlanInput& input) {
  input.num_obs += reader.num_obs();
  if (features.is_sparse()) input.stored_entries += reader.file().object(features.key() + "/data").num_elements();
  const Selection selection = select_cells(reader, {request.time_key, request.days, request.filter});
  input.cells_per_slice.insert(input.cells_per_slice.end(), selection.slice_sizes.begin(), selection.slice_sizes.end());
}

void add_result_buffers(Collector& items) {
  items.add_rows("names of cells", Collector::writing, false, [](const Rows& rows) { return name_bytes * rows.all; });
  items.add_capped("output buffers", Collector::writing, 3 * text_block, [](const Rows& rows) { return name_bytes * rows.all; });
  items.add_fixed("HDF5 buffers", Collector::reading | Collector::writing, false, hdf5_buffers);
}

void add_strips(const PlanInput& input, WideInt columns, Collector& items) {
  const std::int64_t m = static_cast<std::int64_t>(columns), scalar_bytes = input.is_double ? 8 : 4, cache_bytes = cache_bytes_per_processor();
  if (input.on_device || input.form == "two_pass" || (input.form == "auto" && !strips_fit(m, scalar_bytes, cache_bytes))) return;
  items.add_fixed("strips of the threads", Collector::solving | Collector::writing, false, WideInt{input.threads} * strip_column_bytes(strip_height(m, scalar_bytes, cache_bytes), scalar_bytes) * columns);
}

void add_reading(const PlanInput& input, std::int64_t num_ranks, int features_held, Collector& items) {
  const WideInt p = input.num_features;
  items.add_rows("features as read", features_held, false, [=](const Rows& rows) { return 4 * p * rows.all; });
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

}  // namespace thalweg
