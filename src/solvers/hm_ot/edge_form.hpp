// The linear cost between two slices of a chain, bilinear in the features of their rows.
#pragma once

#include "solvers/hm_ot/chain.hpp"

namespace thalweg {

/// Cost phi^T G phi' of a pair of rows, up to constants of either row: the gradient in P of
///
///   w W(P) + q GW(P),   W = <|x_i - y_j|^2, P>,   GW = const - 4 alpha^T P beta - 8 |S^T P T|_F^2
///
/// with alpha_i = |s_i|^2, beta_j = |t_j|^2 of centred coordinates. G is diagonal but on coordinates. GW is concave in
/// every block of the chain: the minimiser of this cost lowers it.
/// Source: Scetbon, Peyre & Cuturi (2022), Linear-time Gromov Wasserstein distances using low rank couplings and costs.
struct EdgeForm {
  double features = 0.0;  // -2 w on x
  Matrix coordinates;     // -16 q S^T P T on s
  double squares = 0.0;   // -4 q on alpha
};

/// G of transition `edge`, for S^T P T as the frames of both slices scale coordinates.
EdgeForm edge_form(const Chain& chain, std::size_t edge, const Matrix& moment);

/// S^T P T = sum_kl T_kl m_k m_l^T of coordinates, c x c; empty where the transition has no Gromov-Wasserstein part.
Matrix coordinate_moment(const Chain& chain, const ChainState& state, std::size_t edge);

/// G m_l of all types l of the target slice, p x r; or G^T m_k of the source slice.
Matrix apply_form(const Chain& chain, const EdgeForm& form, const Matrix& means, bool is_transposed);

}  // namespace thalweg
