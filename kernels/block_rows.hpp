// The granule of all sums over rows.
#pragma once

namespace thalweg {

/// Rows of a block: sums are formed per block of global rows, so ranks own whole blocks.
inline constexpr int block_rows = 256;

/// Rows of a tile: within a tile the rows of a column are contiguous, and a tile of tens of columns fits into the
/// first cache without its columns meeting in the same cache sets.
inline constexpr int tile_rows = 64;
inline constexpr int tiles_per_block = block_rows / tile_rows;

}  // namespace thalweg
