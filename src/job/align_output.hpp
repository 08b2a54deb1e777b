// Files of an alignment of slices.
#pragma once

#include <vector>

#include "analysis/procrustes.hpp"
#include "job/align_pair.hpp"
#include "job/job_session.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// Where one slice came to lie. The reference lies where it did.
struct PlacedSlice {
  std::size_t neighbour = 0;  // the slice that it was coupled with; itself: the reference
  RigidMotion motion;
  Matrix aligned;  // places after the motion
  Matrix warped;   // each place at the mean of its partners, chained to the reference
  std::vector<std::int64_t> match;
  std::vector<double> confidence;
  MultiStartSolution starts;  // none in the reference

  const GromovSolution& solution() const { return starts.best; }

  bool is_reference(std::size_t slice) const { return neighbour == slice; }
};

/// Writes results, tables and plots: everything but run.json. Collective.
/// @param placed   one a slice
void write_aligned_slices(JobSession& session, const JobContext& context, const AlignSlices& slices,
                          const std::vector<PlacedSlice>& placed);

}  // namespace thalweg
