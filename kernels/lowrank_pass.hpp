// The fused pass of low-rank transport over the rows of one slice: memberships are formed and discarded.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/feature_tiles.hpp"
#include "kernels/fixed_point.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Which sums a pass forms beside the type masses, sum_i a_i l_i and the entropy.
struct PassParts {
  bool features = false;  // F = phi^T diag(a) P, p x r
  bool hessian = false;   // H = P^T diag(a) P, r x r
};

/// Where the sums of a pass lie in its one packed buffer, and their fixed-point forms.
///
/// Terms are weighted with n a_i (mean 1); `rescale` = 1 / n turns sums into those of the definition.
struct PassLayout {
  std::int64_t num_types = 0;
  std::int64_t dimension = 0;
  PassParts parts;
  FixedPoint unit;        // masses and H
  FixedPoint normalizer;  // sum a l
  FixedPoint entropy;
  FixedPoint feature;
  double rescale = 1.0;

  std::int64_t masses_at() const { return 0; }
  std::int64_t normalizer_at() const { return num_types; }
  std::int64_t entropy_at() const { return num_types + 1; }
  std::int64_t features_at() const { return num_types + 2; }
  std::int64_t hessian_at() const { return features_at() + (parts.features ? dimension * num_types : 0); }
  std::int64_t size() const { return hessian_at() + (parts.hessian ? num_types * num_types : 0); }
};

/// Fixed-point forms that hold every sum over `num_rows` rows of all ranks.
/// @param max_feature   largest |phi_ij| of all ranks, per feature, length p
/// @param logits        A, p x r
/// @param duals         v, length r
PassLayout make_pass_layout(PassParts parts, std::int64_t num_rows, std::span<const double> max_feature,
                            const Matrix& logits, std::span<const double> duals);

/// Sums of this rank's rows in fixed point, to be all-reduced as they are.
///
///   P_ik = softmax_k(phi_i . A_k + v_k),  l_i = log sum_k exp(phi_i . A_k + v_k)
///   s_k = sum_i a_i P_ik,  L = sum_i a_i l_i,  E = sum_ik a_i P_ik log P_ik,  F, H as in PassParts
///
/// The host uses a register-blocked kernel, other spaces the plain one; both agree to rounding.
/// @return layout.size() integers: s, L, E, then F (row-major) and H when asked for
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass(const ExecutionSpace& exec, const FeatureTiles<Scalar, ExecutionSpace>& tiles,
                                       const Matrix& logits, std::span<const double> duals, const PassLayout& layout);

/// The same sums by the plain kernel, one source for every execution space: the oracle of the tuned one.
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass_plain(const ExecutionSpace& exec,
                                             const FeatureTiles<Scalar, ExecutionSpace>& tiles, const Matrix& logits,
                                             std::span<const double> duals, const PassLayout& layout);

/// Memberships P of the rows of `num_blocks` blocks from `first_block` on, row-major, rows x r.
template <class Scalar, class ExecutionSpace>
std::vector<double> membership_rows(const ExecutionSpace& exec, const FeatureTiles<Scalar, ExecutionSpace>& tiles,
                                    const Matrix& logits, std::span<const double> duals, std::int64_t first_block,
                                    std::int64_t num_blocks);

}  // namespace thalweg
