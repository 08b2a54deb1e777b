#include "solvers/hm_ot/baseline.hpp"

#include <algorithm>

#include "exact/max_flow.hpp"
#include "solvers/hm_ot/sweep.hpp"

namespace thalweg {

namespace {

/// False where the masses of both ends do not fit into the allowed entries, or the coupling is given.
bool are_couplings_feasible(const Chain& chain, const ChainState& state) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    if (chain.edges[t].coupling) return false;
    if (!chain.edges[t].allowed) continue;
    if (!check_flow(state.slices[t].masses, state.slices[t + 1].masses, *chain.edges[t].allowed).feasible) return false;
  }
  return true;
}

/// One round of k-means on all rows: sums of the rows nearest to each mean, and the membership that formed them.
void assign_to_means(const Chain& chain, const ChainSlice& rows, SliceState& state) {
  const double largest_logit = 1e6 / chain.variance;
  Matrix logits = state.means;  // softmax at this scale is an arg-max of -|x - m|^2
  std::vector<double> duals(static_cast<std::size_t>(logits.columns), 0.0);
  for (std::int64_t k = 0; k < logits.columns; ++k)
    for (std::int64_t j = 0; j < logits.rows; ++j) {
      const double sharpness = chain.cluster_scale.empty() ? largest_logit : largest_logit * chain.cluster_scale[static_cast<std::size_t>(j)];
      duals[static_cast<std::size_t>(k)] -= sharpness * logits(j, k) * logits(j, k);
      logits(j, k) *= 2.0 * sharpness;
    }
  const PassSums sums = rows.rows->sums(logits, duals, {true, false});
  const bool is_valid = *std::min_element(sums.masses.begin(), sums.masses.end()) > 0.0;
  if (is_valid) set_sums(sums, state);
  if (!is_valid && !state.duals.empty()) return;
  state.logits = std::move(logits);
  state.duals = std::move(duals);
}

}  // namespace

std::optional<ChainState> kmeans_baseline(const Chain& chain, ChainState state) {
  constexpr int rounds = 10;
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    if (chain.slices[t].has_fixed_membership()) continue;
    for (int round = 0; round < rounds; ++round) assign_to_means(chain, chain.slices[t], state.slices[t]);
    state.slices[t].masses = state.slices[t].actual;
  }
  if (!are_couplings_feasible(chain, state)) return std::nullopt;
  lower_by_couplings(chain, /*keeps_diagonal=*/false, state);
  return state;
}

}  // namespace thalweg
