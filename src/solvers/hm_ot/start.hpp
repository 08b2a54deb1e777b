// Where a descent begins: types, masses and couplings from a sample of every slice.
#pragma once

#include <cstdint>
#include <vector>

#include "solvers/hm_ot/chain.hpp"
#include "solvers/hm_ot/matching.hpp"

namespace thalweg {

/// Types by generalised k-means on trajectories, minimising
///   -1/2 sum_c sum_{i in c} sum_t (phi_t,i - m_t,c)^T G_t (phi_t+1,i - m_t+1,c),
/// the cost of the low-rank coupling up to constants, linear in G at the trajectories (edge_form.hpp); G_t = -2 w_t for
/// squared distances. Slices of fewer types merge centroids. Labels of
/// fixed slices enter as they are, free slices of equal type count take those of the nearest fixed one.
ChainState transport_start(const Chain& chain, const std::vector<SampledSlice>& sample, const Trajectories& trajectories,
                           std::uint64_t seed, std::uint32_t restart);

/// Types by k-means on every slice, couplings between them exact for the cost at `moments` (of trajectories; empty
/// without coordinates).
ChainState kmeans_start(const Chain& chain, const std::vector<SampledSlice>& sample, std::uint64_t seed,
                        const std::vector<Matrix>& moments = {});

/// Types by the nearest of random rows of every slice. Couplings between them are exact for the cost; where coordinates
/// have a part in it, for its value at exact couplings of costs drawn at random.
ChainState random_start(const Chain& chain, const std::vector<SampledSlice>& sample, std::uint64_t seed,
                        std::uint32_t restart);

/// Couplings for the means and masses of a state: a_t b_t^T or its diagonal, where coordinates have a part exact ones for
/// the cost at `moments`.
void set_start_couplings(const Chain& chain, const std::vector<Matrix>& moments, ChainState& state);

/// True when fixed labels determine the start, so that restarts would repeat it.
bool is_start_determined(const Chain& chain);

}  // namespace thalweg
