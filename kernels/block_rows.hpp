// The granule of all sums over rows.
#pragma once

namespace thalweg {

/// Rows of a block: sums are formed per block of global rows, so ranks own whole blocks.
inline constexpr int block_rows = 256;

}  // namespace thalweg
