// Ways of rows between a slab of the file and the slices on their owners.
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/cell_selection.hpp"
#include "io/row_exchange.hpp"

namespace thalweg {

/// One rank's slab of the file between the first and the last used cell, and where its cells go.
struct CellRoutes {
  RowRange slab;
  /// Of the slab's rows, to slot = local cell, slices one after another; rank -1 for rows not used.
  RowDestinations to_slices;
  /// Position of each row of the slab among the used cells of the file; -1 for rows not used.
  std::vector<std::int64_t> file_order;
  /// This rank's rows of each slice.
  std::vector<RowRange> slice_rows;
  std::int64_t num_local_cells = 0;
  /// File rows of the slabs of all ranks together.
  RowRange range;

  bool is_used(std::size_t row) const { return file_order[row] >= 0; }
};

/// Collective.
CellRoutes make_cell_routes(const Communicator& comm, const Selection& selection, std::int64_t num_obs,
                            std::int64_t granule);

/// Values of consecutive file rows, of which this rank holds those from `first_row` on, for the rows of its slab.
/// Collective.
std::vector<std::int32_t> move_to_slab(const Communicator& comm, RowRange range, const std::vector<std::int32_t>& values,
                                       std::int64_t first_row);

}  // namespace thalweg
