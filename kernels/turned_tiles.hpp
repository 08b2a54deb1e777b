// Stored costs in the order of passes over columns, from those in the order of passes over rows.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace thalweg {

/// Turns all scores from the order of CostTiles, (tile of rows, column, row), to (tile of columns, row, column), with the
/// padding of both. Work is given to `exec` without waiting.
/// @param by_rows      of num_row_tiles x num_column_tiles squares of tile_rows x tile_rows, where `exec` can read
/// @param by_columns   as many values
template <class Scalar, class ExecutionSpace>
void turn_tiles(const ExecutionSpace& exec, const Scalar* by_rows, std::int64_t num_row_tiles,
                std::int64_t num_column_tiles, Scalar* by_columns);

}  // namespace thalweg
