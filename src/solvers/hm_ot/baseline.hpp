// A solution without optimisation, to compare with.
#pragma once

#include <optional>

#include "solvers/hm_ot/chain.hpp"

namespace thalweg {

/// k-means types of all rows, begun at those of the sample, with exact couplings; nothing where constraints
/// rule their masses out.
std::optional<ChainState> kmeans_baseline(const Chain& chain, ChainState state);

}  // namespace thalweg
