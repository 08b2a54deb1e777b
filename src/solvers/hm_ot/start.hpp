// Where a descent begins: types, masses and couplings from a sample of every slice.
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
  double cost = 0.0;                             // sum_t w_t of the mean squared distance of linked cells
};

/// Exact one-to-one maps of minimal squared distance between consecutive slices of equal sample size.
Trajectories match_slices(const Chain& chain, const std::vector<SampledSlice>& sample);

/// Types by generalised k-means on trajectories, minimising
///   sum_c sum_{i in c} sum_t w_t (x_t,i - m_t,c) . (x_t+1,i - m_t+1,c),
/// the cost of the low-rank coupling up to constants; slices of fewer types merge centroids. Labels of
/// fixed slices enter as they are, free slices of equal type count take those of the nearest fixed one.
ChainState transport_start(const Chain& chain, const std::vector<SampledSlice>& sample, const Trajectories& trajectories,
                           std::uint64_t seed, std::uint32_t restart);

/// Types by k-means on every slice, exact couplings between them.
ChainState kmeans_start(const Chain& chain, const std::vector<SampledSlice>& sample, std::uint64_t seed);

/// True when fixed labels determine the start, so that restarts would repeat it.
bool is_start_determined(const Chain& chain);

}  // namespace thalweg
