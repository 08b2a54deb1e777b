// Soft ranks of a row of numbers, which follow them smoothly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// Soft ranks of a row with what its derivative needs.
struct SoftRanks {
  std::vector<double> values;             // in (0, 1], larger for larger entries
  std::vector<std::int32_t> order;        // positions of the entries, largest first
  std::vector<std::int32_t> block_begin;  // of the pooled blocks within `order`, ascending, first 0

  std::int64_t num_blocks() const { return static_cast<std::int64_t>(block_begin.size()); }
};

/// Projection of z / delta onto the permutahedron of w = (c, c - 1, .., 1) / c:
///
///   s = z / delta, largest first,   v = isotonic regression of s - w, not increasing,   rank = s - v
///
/// which for delta towards 0 is the rank of each entry over c, and for large delta an affine map of z.
/// @param z      c entries, finite; in units of the scaled cost
/// @param delta  > 0, against ranks that are divided by c
/// Source: Blondel, Teboul, Berthet & Djolonga (2020), Fast differentiable sorting and ranking, section 4.
SoftRanks soft_ranks(std::span<const double> z, double delta);

/// J^T cotangent of the soft ranks: within each block the mean is taken off, all over delta.
/// @param ranks      as soft_ranks gave them for the same delta
/// @param cotangent  c numbers
std::vector<double> soft_ranks_vjp(const SoftRanks& ranks, double delta, std::span<const double> cotangent);

}  // namespace thalweg
