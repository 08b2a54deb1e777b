// Row sums of dot products in float by the matrix units of devices of compute capability 9.0. No Kokkos.
#pragma once

#include <cstdint>

#include "kernels/pair_operands.hpp"

struct CUstream_st;

namespace thalweg::hopper {

/// One pass over the columns; everything is on the device.
struct SumsPass {
  PairOperands<float> operands;
  const std::int64_t* tiles;  // of rows
  std::int64_t num_tiles;
  const float* shifts;    // of their rows, one tile after another
  unsigned char* packed;  // room for packed_bytes
  double* parts;          // room for (slice, row)
  double* sums;           // of the rows
};

/// Whether the current device and this file can form the sums of such a pass.
bool can_sum(const PairOperands<float>& operands);

std::int64_t packed_bytes(const PairOperands<float>& operands);

/// Starts sum_j omega_j 2^s_ij for the rows of the pass on a stream.
///
/// Every feature is split into h + l: h an integer of a quantum of its own point, at most 2048 in size, and the rest l,
/// both exact or nearly so in half precision. Of x . y = h.h' + (h.l' + l.h') + l.l' the first product is exact in
/// float, the second is formed apart, the last is left out: what is lost is near the rounding of a sum in float.
/// @throws std::runtime_error where the device refuses
void start_sums(CUstream_st* stream, const SumsPass& pass);

}  // namespace thalweg::hopper
