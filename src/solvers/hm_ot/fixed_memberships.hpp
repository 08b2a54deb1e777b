// Memberships that are given, as labels or as shares.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "solvers/hm_ot/chain.hpp"

namespace thalweg {

/// The type with the largest share of every row, the lowest on ties.
std::vector<std::int32_t> strongest_types(std::span<const float> shares, std::int64_t num_types);

/// Memberships of the owned rows of a fixed slice from block `first_block` on, rows x r.
std::vector<double> fixed_membership_rows(const ChainSlice& slice, std::int64_t first_block, std::int64_t num_blocks);

}  // namespace thalweg
