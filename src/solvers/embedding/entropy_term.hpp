// The entropy that alignments are regularised with, as a term of the loss of a coupling between embeddings.
#pragma once

#include "solvers/embedding/coupling_engine.hpp"

namespace thalweg {

/// KL(P | a b^T) of the coupling of the engine, P_ij = a_i b_j exp((f_i + g_j - C_ij) / epsilon) of mass 1:
///
///   KL = (<f, p> + <g, q> - <C, P>) / epsilon,   dKL/dP = -C / epsilon, up to constants of rows and of columns
///
/// One product of P with the points; nothing n x m is stored. Collective.
/// @param factor  of the term; its G is added if asked for
double entropy_term(const Communicator& comm, const CostPoints& points, const SinkhornSolution& coupling, double factor,
                    bool with_gradient, CouplingEngine& engine);

}  // namespace thalweg
