// The solves behind bench_scaling: points drawn by global index, and a watch on the iterations of a solver.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/scaling_options.hpp"
#include "core/context.hpp"
#include "distributed/checkpoint.hpp"
#include "distributed/partition.hpp"

namespace thalweg::bench {

/// Cells of a side or slice on so many ranks: as given, or grown so that a rank's work stays what it is on one: with the
/// root of their number where it is proportional to the pairs of cells.
std::int64_t num_cells(const ScalingOptions& options, int num_ranks);

/// Rows of cloud `cloud`: a mixture of 20 normal components that drifts from cloud to cloud. A row is a function of its
/// number alone. @return rows x features, row-major
std::vector<float> mixture_rows(RowRange rows, std::int64_t features, std::uint32_t cloud);

/// What a rank had done when an iteration was over.
struct Moment {
  double at_s = 0.0, in_collectives_s = 0.0;
  std::int64_t bytes_sent = 0;
  double iterations = 0.0;  // of a whole solve so far: evaluations, or passes over all slices
};

/// Timed iterations of a solve, and the state that was written behind them.
struct Watched {
  std::vector<Moment> moments;  // the first one at the end of the warm-up
  double state_s = 0.0;
  std::int64_t state_bytes = 0;
};

/// Solves until the iterations are over; then writes a state of the solve into `folder`, timed, and removes it. An empty
/// folder: writes none. Collective.
Watched watch_solve(const Context& context, const ScalingOptions& options, const std::string& folder);

}  // namespace thalweg::bench
