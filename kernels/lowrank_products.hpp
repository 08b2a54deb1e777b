// The low-rank pass of devices: memberships of a chunk of rows by one kernel, products of them by another.
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

/// The sums of lowrank_pass, of one source for every execution space and without vectors of the host.
///
/// Rows are worked off in chunks of blocks_of_chunk blocks, two kernels a chunk:
///
///   memberships   L = phi A in `Scalar`, a panel of types in registers, one row a thread; v and all sums over the types of
///                 a row in double; P takes the place of L
///   products      [phi P]^T diag(a) P, a team for 32 x 32 of its entries and some of the blocks, from tiles in shared memory
///
/// An entry of F or H is summed in `Scalar` over the 64 rows of a tile, with an error of at most 64 u sum_i |terms|
/// (u = 6e-8 in float), and over tiles in fixed point; masses, l and the entropy are summed in double. No sum depends on
/// the chunk or the rank that its rows are in, which products by a library would not promise: it chooses among its
/// kernels by the number of products that are asked for.
///
/// Work is given to `exec` without waiting, after one copy to the device; the copy back waits.
/// @param pool   memory of the passes over one slice: columns, sums, and the memberships of a chunk
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass_products(const ExecutionSpace& exec,
                                                const FeatureTiles<Scalar, ExecutionSpace>& tiles, const Matrix& logits,
                                                std::span<const double> duals, const PassLayout& layout,
                                                const DevicePool<ExecutionSpace>& pool = {});

}  // namespace thalweg
