// Sums and moments of rows of dot products in double by the matrix units of devices of compute capability 9.0. No
// Kokkos.
#pragma once

#include <cstdint>

#include "kernels/pair_operands.hpp"

struct CUstream_st;

namespace thalweg::hopper {

/// What is added up of every row with e = 2^s_ij: omega_j e; or e, e s_ij and e lambda_j.
enum class RowGather { sum, moments };

constexpr std::int64_t values_per_row(RowGather which) { return which == RowGather::sum ? 1 : 3; }

/// One pass over the columns; everything is on the device.
struct GatherPass {
  PairOperands<double> operands;
  const std::int64_t* tiles;  // of rows; null: from first_tile on
  std::int64_t first_tile, num_tiles;
  const double* shifts;       // of their rows, one tile after another
  const double* column_logs;  // lambda of the moments
  double* parts;              // room for (slice, row, which)
  double* results;            // (row, which)
};

/// Whether the current device and this file can form such a pass.
bool can_gather(const PairOperands<double>& operands);

/// Starts the pass on a stream. @throws std::runtime_error where the device refuses
void start_gather(CUstream_st* stream, const GatherPass& pass, RowGather which);

}  // namespace thalweg::hopper
