// Potentials of targets without weight.
#pragma once

#include "solvers/sinkhorn/prepare.hpp"

namespace thalweg {

/// What one update would give targets of weight zero, which take no part:
///   g_j = -tau2 epsilon log sum_i alpha_i exp((f_i - C_ij) / epsilon)
/// A pass over the costs if there are any. Collective. @param f  owned rows @param g  all; only those entries change
void set_unweighted_potentials(const Communicator& comm, const PreparedTransport& transport, const PairGeometry& geometry,
                               std::span<const double> f, std::vector<double>& g);

}  // namespace thalweg
