// NCCL and a device without either: device memory is memory of the host, and what travels between devices goes by MPI.
#pragma once

#include <cstdint>

namespace thalweg::nccl_double {

/// What this rank's library does wrong; set back by tests.
struct Faults {
  bool no_start = false;     ///< ncclCommInitRankConfig fails
  bool is_corrupt = false;   ///< what a gather brings is not what was sent
  bool is_silent = false;    ///< work that is started never ends
  bool has_lost_peer = false;  ///< ncclCommGetAsyncError reports ncclRemoteError once work is under way
  bool is_full = false;      ///< cudaMalloc fails
};
Faults& faults();

/// Launches of NCCL so far, on this rank.
std::int64_t num_launches();

/// Device memory that is held now.
std::int64_t num_blocks();

}  // namespace thalweg::nccl_double
