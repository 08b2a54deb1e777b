// One monotone sweep of block descent over a chain.
#pragma once

#include <string>

#include "solvers/column_duals.hpp"
#include "solvers/hm_ot/chain.hpp"

namespace thalweg {

/// Settings of the descent at one epsilon.
struct SweepOptions {
  double epsilon = 0.0;  // in units of the cost
  DualOptions duals;
};

/// Feasible latent couplings: T_t = argmin <K_t, T> with T 1 = s_t, T^T 1 = s_{t+1}, exactly.
/// Also sets the duality gaps. @throws DataError when the masses cannot use the allowed entries
/// @param keeps_diagonal   false: diagonal edges are solved like any other
void solve_couplings(const Chain& chain, ChainState& state, bool keeps_diagonal = true);

/// Exact couplings, then E and F_eps; where E is not linear in them, exact ones for its gradient in turn while E falls.
void lower_by_couplings(const Chain& chain, bool keeps_diagonal, ChainState& state);

/// Linear cost features of block t over epsilon, centred over types, with G of both transitions (edge_form.hpp):
///   A_k = -(1 / epsilon) [sum_l T_kl G_t m_l^{t+1} + sum_l T_lk G_{t-1}^T m_l^{t-1}] / g_k
Matrix block_logits(const Chain& chain, const ChainState& state, std::size_t slice, double epsilon);

/// Minimises over Q_t with everything else fixed. @return false when the dual solve failed; the state is
/// then unchanged
bool solve_block(const Chain& chain, std::size_t slice, const SweepOptions& options, ChainState& state);

/// Even slices, all T, odd slices, all T; then E and F_eps. Each part is an exact minimisation.
/// @return false when a block could not be solved
bool sweep(const Chain& chain, const SweepOptions& options, ChainState& state);

/// Makes a state whose duals come from other rows that of `chain`: sums of its memberships, their masses,
/// couplings, E and F_eps. Slices without duals are left alone.
void evaluate(const Chain& chain, double epsilon, ChainState& state);

}  // namespace thalweg
