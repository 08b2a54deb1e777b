// Everything known of a coupling, measured in float64.
#pragma once

#include "solvers/sinkhorn/fixed_point.hpp"

namespace thalweg {

/// Fills potentials and values of `solution`; balanced potentials are shifted to sum_j b_j g_j = 0.
/// Collective. @param final  pair with exact rows, of `geometry`, which is in float64
void report_solution(const Communicator& comm, const PreparedTransport& transport, const SinkhornSettings& settings,
                     PairGeometry& geometry, Iterate final, SinkhornSolution& solution);

}  // namespace thalweg
