// The coupling of one training step: a few accelerated evaluations from a warm start.
#pragma once

#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// Evaluations until the relative L1 error of the column sums is within tolerance or max_iterations are spent, in the
/// arithmetic of the geometry alone; without a start epsilon falls first. Rows are exact. What solve_sinkhorn measures
/// besides (certificate, statistics, history) is left out. Collective.
SinkhornSolution training_coupling(const Context& context, const SinkhornProblem& problem,
                                   const SinkhornSettings& settings);

}  // namespace thalweg
