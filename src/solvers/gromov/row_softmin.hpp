// The linear problem of semi-relaxed alignments: one softmin a row.
#pragma once

#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// The solution of min <K, P> + epsilon KL(P | a b^T) over P 1 = a:
///
///   P_ij = a_i softmax_j(log b_j - K_ij / epsilon),   f_i = -epsilon log sum_j b_j exp(-K_ij / epsilon),   g = 0
///
/// in float64 over the numbers of `geometry`, whose reference and epsilon are set. Collective.
/// @throws DataError for weights that are negative, not finite or of another sum than 1
SinkhornSolution row_softmin(const Context& context, const GromovProblem& problem, PairGeometry& geometry,
                             double epsilon);

}  // namespace thalweg
