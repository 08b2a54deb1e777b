#include "io/cell_routes.hpp"

#include <algorithm>
#include <limits>

namespace thalweg {

namespace {

/// File rows from the first to behind the last used cell, on all ranks.
RowRange used_range(const Communicator& comm, const std::vector<std::int32_t>& slice_of_row, std::int64_t first_row) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = -1;
  for (std::size_t i = 0; i < slice_of_row.size(); ++i) {
    if (slice_of_row[i] < 0) continue;
    last = first_row + static_cast<std::int64_t>(i);
    first = std::min(first, last);
  }
  return {comm.all_reduce(first, Reduction::min), comm.all_reduce(last, Reduction::max) + 1};
}

/// Cells of each slice on the ranks before this one.
std::vector<std::int64_t> cells_before(const Communicator& comm, const std::vector<std::int32_t>& slices, std::size_t num_slices) {
  std::vector<std::int64_t> counts(num_slices, 0), before(num_slices, 0);
  for (const std::int32_t slice : slices)
    if (slice >= 0) ++counts[static_cast<std::size_t>(slice)];
  const std::vector<std::int64_t> all = comm.all_gather(std::span<const std::int64_t>(counts));
  for (std::size_t q = 0; q < static_cast<std::size_t>(comm.rank()); ++q)
    for (std::size_t s = 0; s < num_slices; ++s) before[s] += all[q * num_slices + s];
  return before;
}

/// Rank and slot of cells of the slices, slices one after another on each rank.
class SliceLayout {
 public:
  SliceLayout(const std::vector<std::int64_t>& slice_sizes, int num_ranks, std::int64_t granule) : num_slices_(slice_sizes.size()) {
    for (const std::int64_t size : slice_sizes) partitions_.emplace_back(size, num_ranks, granule);
    for (int q = 0; q < num_ranks; ++q) {
      std::int64_t offset = 0;
      for (const Partition& partition : partitions_) {
        offsets_.push_back(offset);
        offset += partition.rows_of(q).size();
      }
    }
  }

  void add(std::size_t slice, std::int64_t index, RowDestinations& destinations) const {
    const int owner = partitions_[slice].owner_of(index);
    destinations.ranks.push_back(owner);
    destinations.slots.push_back(offsets_[static_cast<std::size_t>(owner) * num_slices_ + slice] + index -
                                 partitions_[slice].rows_of(owner).begin);
  }
  RowRange rows_of(std::size_t slice, int rank) const { return partitions_[slice].rows_of(rank); }

 private:
  std::size_t num_slices_;
  std::vector<Partition> partitions_;
  std::vector<std::int64_t> offsets_;
};

}  // namespace

std::vector<std::int32_t> move_to_slab(const Communicator& comm, RowRange range, const std::vector<std::int32_t>& values,
                                       std::int64_t first_row) {
  const Partition partition(range.size(), comm.size());
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t row = first_row + static_cast<std::int64_t>(i);
    rows.push_back(row >= range.begin && row < range.end ? row - range.begin : -1);
  }
  std::vector<std::int32_t> moved(static_cast<std::size_t>(partition.rows_of(comm.rank()).size()));
  send_rows(comm, destinations_of(rows, partition), std::span<const std::int32_t>(values), 1, std::span<std::int32_t>(moved));
  return moved;
}

CellRoutes make_cell_routes(const Communicator& comm, const Selection& selection, std::int64_t num_obs,
                            std::int64_t granule) {
  const std::int64_t first_row = Partition(num_obs, comm.size()).rows_of(comm.rank()).begin;
  const RowRange range = used_range(comm, selection.slice_of_row, first_row);
  const RowRange slab = Partition(range.size(), comm.size()).rows_of(comm.rank());
  CellRoutes routes;
  routes.range = range;
  routes.slab = {range.begin + slab.begin, range.begin + slab.end};
  const std::vector<std::int32_t> slices = move_to_slab(comm, range, selection.slice_of_row, first_row);

  const std::size_t num_slices = selection.slices.size();
  const SliceLayout layout(selection.slice_sizes, comm.size(), granule);
  std::vector<std::int64_t> index = cells_before(comm, slices, num_slices);
  std::int64_t order = 0;
  for (const std::int64_t before : index) order += before;
  for (const std::int32_t slice : slices) {
    if (slice < 0) {
      routes.to_slices.ranks.push_back(-1);
      routes.to_slices.slots.push_back(0);
      routes.file_order.push_back(-1);
      continue;
    }
    layout.add(static_cast<std::size_t>(slice), index[static_cast<std::size_t>(slice)]++, routes.to_slices);
    routes.file_order.push_back(order++);
  }
  for (std::size_t s = 0; s < num_slices; ++s) {
    routes.slice_rows.push_back(layout.rows_of(s, comm.rank()));
    routes.num_local_cells += routes.slice_rows.back().size();
  }
  return routes;
}

}  // namespace thalweg
