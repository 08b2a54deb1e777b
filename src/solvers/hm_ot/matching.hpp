// Links between the cells of samples of consecutive slices.
#pragma once

#include <cstdint>
#include <vector>

#include "solvers/hm_ot/chain.hpp"
#include "solvers/hm_ot/sample.hpp"

namespace thalweg {

/// One trajectory a row: the cell of every slice that one-to-one maps between consecutive slices link.
struct Trajectories {
  std::int64_t count = 0;
  std::vector<std::vector<std::int32_t>> cells;  // [slice][trajectory] -> row of the sample
  double cost = 0.0;                             // E of the maps
  std::vector<Matrix> moments;                   // per transition, of the coordinates of linked cells (edge_form.hpp)
};

/// phi of the rows of a sample in the frame of their slice.
Matrix feature_rows(const Chain& chain, std::size_t slice, const SampledSlice& sample);

/// One-to-one maps of least cost between consecutive slices of equal sample size: exact for squared distances; where
/// coordinates have a part in the cost, by exact maps for its gradient in turn, from the gradient at `starts` on.
/// @param starts   moments of coordinates, one a transition; zeros leave them out of the first gradient
Trajectories match_slices(const Chain& chain, const std::vector<SampledSlice>& sample, const std::vector<Matrix>& starts = {});

}  // namespace thalweg
