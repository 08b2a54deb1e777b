#include "solvers/hm_ot/fixed_memberships.hpp"

#include <algorithm>

#include "kernels/block_rows.hpp"

namespace thalweg {

std::vector<std::int32_t> strongest_types(std::span<const float> shares, std::int64_t num_types) {
  const auto r = static_cast<std::size_t>(num_types);
  std::vector<std::int32_t> types;
  types.reserve(shares.size() / r);
  for (std::size_t first = 0; first < shares.size(); first += r) {
    const auto row = shares.subspan(first, r);
    types.push_back(static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return types;
}

std::vector<double> fixed_membership_rows(const ChainSlice& slice, std::int64_t first_block, std::int64_t num_blocks) {
  const auto r = static_cast<std::size_t>(slice.num_types);
  const bool is_labelled = !slice.fixed_labels.empty();
  const std::size_t rows = is_labelled ? slice.fixed_labels.size() : slice.fixed_memberships.size() / r;
  const std::size_t first = static_cast<std::size_t>(first_block * block_rows);
  const std::size_t last = std::min(rows, first + static_cast<std::size_t>(num_blocks * block_rows));
  std::vector<double> memberships((last - first) * r, 0.0);
  for (std::size_t i = first; i < last; ++i) {
    const auto row = std::span(memberships).subspan((i - first) * r, r);
    if (is_labelled) row[static_cast<std::size_t>(slice.fixed_labels[i])] = 1.0;
    else normalise_shares(slice.fixed_memberships.subspan(i * r, r), row);
  }
  return memberships;
}

}  // namespace thalweg
