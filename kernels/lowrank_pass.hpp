// The fused pass of low-rank transport over the rows of one slice: memberships are formed and discarded.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/device_pool.hpp"
#include "kernels/feature_tiles.hpp"
#include "kernels/matrix.hpp"
#include "kernels/pass_layout.hpp"

namespace thalweg {

/// Sums of this rank's rows in fixed point, to be all-reduced as they are.
///
///   P_ik = softmax_k(phi_i . A_k + v_k),  l_i = log sum_k exp(phi_i . A_k + v_k)
///   s_k = sum_i a_i P_ik,  L = sum_i a_i l_i,  E = sum_ik a_i P_ik log P_ik,  F, H as in PassParts
///
/// The host uses a register-blocked kernel, other spaces lowrank_pass_products; all agree to rounding.
/// @param pool   memory of a device kept from pass to pass
/// @return layout.size() integers: s, L, E, then F (row-major) and H when asked for
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass(const ExecutionSpace& exec, const FeatureTiles<Scalar, ExecutionSpace>& tiles,
                                       const Matrix& logits, std::span<const double> duals, const PassLayout& layout,
                                       const DevicePool<ExecutionSpace>& pool = {});

/// The same sums by the plain kernel, one source for every execution space: the oracle of the tuned ones.
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
