// Logarithms of the sums of a pass over rows, whatever the way the sums are formed.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "kernels/host_rows.hpp"
#include "kernels/pair_logs.hpp"
#include "kernels/pair_rows.hpp"

namespace thalweg {

/// l_i = log2 sum_j omega_j 2^(kappa score_ij + v_j), -inf for rows that take no part.
struct RowLogs {
  std::vector<double> logs;
  std::int64_t fallback_tiles = 0;  // those whose largest exponents had to be found first
};

/// Recomputes the logs of some tiles with the shift under which their largest exponents are 0.
template <class Scalar, class Sums>
void replace_by_maxima(std::int64_t first_tile, const std::vector<std::int64_t>& positions, const Sums& pass,
                       std::vector<double>& logs) {
  std::vector<std::int64_t> tiles;
  for (const std::int64_t position : positions) tiles.push_back(first_tile + position);
  std::vector<Scalar> shifts = pass.maxima(std::span<const std::int64_t>(tiles));
  for (Scalar& shift : shifts) shift = shift_for_maximum(shift);
  const auto sums = pass.sums(std::span<const std::int64_t>(tiles), std::span<const Scalar>(shifts));
  for (std::size_t p = 0; p < positions.size(); ++p)
    for (std::size_t i = 0; i < tile_rows; ++i)
      logs[static_cast<std::size_t>(positions[p]) * tile_rows + i] =
          log_of_sum(sums[p * tile_rows + i], shifts[p * tile_rows + i]);
}

/// @param shifts   u, near -l_i; empty: none is known
/// @param pass     sums(tiles, shifts) and maxima(tiles) as `pair_row_sums` and `pair_row_maxima`; is_called_for(bool):
///                 whether a call of these is to be made, which ranks that must make it together agree on
template <class Scalar, class Sums>
RowLogs row_logs_of(TileRange range, std::span<const Scalar> shifts, const Sums& pass) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(range.count)), tiles = positions, unsafe;
  std::iota(positions.begin(), positions.end(), std::int64_t{0});
  std::iota(tiles.begin(), tiles.end(), range.first);
  RowLogs result;
  result.logs.resize(tiles.size() * tile_rows);
  if (pass.is_called_for(!shifts.empty())) {
    const std::vector<double> sums = pass.sums(std::span<const std::int64_t>(tiles), shifts);
    for_each_point_on_host(sums.size(), [&](std::size_t i) { result.logs[i] = log_of_sum(sums[i], shifts[i]); });
    for (const std::int64_t position : positions) {
      const auto at = static_cast<std::size_t>(position * tile_rows);
      if (!sums_are_safe(shifts.data() + at, sums.data() + at)) unsafe.push_back(position);
    }
  } else {
    unsafe = positions;
  }
  if (pass.is_called_for(!unsafe.empty())) replace_by_maxima<Scalar>(range.first, unsafe, pass, result.logs);
  result.fallback_tiles = static_cast<std::int64_t>(unsafe.size());
  return result;
}

}  // namespace thalweg
