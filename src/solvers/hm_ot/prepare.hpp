// From the rows of a problem to a chain that can be solved.
#pragma once

#include "solvers/hm_ot/hm_ot.hpp"
#include "solvers/hm_ot/sample.hpp"

namespace thalweg {

/// Centres the features by the pooled mean, packs them on the device and forms the sums of fixed
/// memberships. Collective. @throws DataError for inconsistent or infeasible constraints
Chain prepare_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings);

/// The same chain on replicated samples of its slices; `context` has the self communicator.
Chain sample_chain(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings, const Chain& whole,
                   const std::vector<SampledSlice>& sample);

}  // namespace thalweg
