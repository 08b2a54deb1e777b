// Where Gromov-Wasserstein parts of a chain begin.
#pragma once

#include <vector>

#include "core/context.hpp"
#include "solvers/hm_ot/hm_ot.hpp"
#include "solvers/hm_ot/sample.hpp"

namespace thalweg {

/// S^T P T of coordinates (edge_form.hpp) for every transition, P the best entropic coupling of at most 512 rows of the
/// samples from the starts of solvers/gromov, or with features from a b^T alone; empty without coordinates. Solved by
/// rank 0. Collective.
std::vector<Matrix> anchor_moments(const Context& context, const HmOtProblem& problem, const Chain& chain,
                                   const std::vector<SampledSlice>& sample);

}  // namespace thalweg
