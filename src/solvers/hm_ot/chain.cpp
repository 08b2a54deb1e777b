#include "solvers/hm_ot/chain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace thalweg {

Matrix coupling_cost(const Chain& chain, const ChainState& state, std::size_t edge) {
  const Matrix& source = state.slices[edge].means;
  const Matrix& target = state.slices[edge + 1].means;
  const double factor = -2.0 * chain.edges[edge].weight;
  Matrix cost(source.columns, target.columns);
  for (std::int64_t j = 0; j < chain.dimension; ++j)
    for (std::int64_t k = 0; k < source.columns; ++k) {
      const double value = factor * source(j, k);
      for (std::int64_t l = 0; l < target.columns; ++l) cost(k, l) += value * target(j, l);
    }
  return cost;
}

double transition_cost(const Chain& chain, const ChainState& state, std::size_t edge) {
  const Matrix cost = coupling_cost(chain, state, edge);
  const Matrix& coupling = state.couplings[edge];
  const double constant = chain.slices[edge].second_moment + chain.slices[edge + 1].second_moment;
  return std::inner_product(cost.values.begin(), cost.values.end(), coupling.values.begin(),
                            chain.edges[edge].weight * constant);
}

void update_objective(const Chain& chain, double epsilon, ChainState& state) {
  state.objective = 0.0;
  for (std::size_t t = 0; t < chain.edges.size(); ++t) state.objective += transition_cost(chain, state, t);
  state.regularized = state.objective;
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    if (chain.slices[t].has_fixed_membership()) continue;
    double divergence = state.slices[t].entropy;
    for (const double mass : state.slices[t].actual)
      if (mass > 0.0) divergence -= mass * std::log(mass);
    state.regularized += epsilon * divergence;
  }
}

double mass_error(const SliceState& slice) {
  double error = 0.0;
  for (std::size_t k = 0; k < slice.masses.size(); ++k) error += std::abs(slice.masses[k] - slice.actual[k]);
  return error;
}

double column_error(const Chain& chain, const ChainState& state) {
  double worst = 0.0;
  for (std::size_t t = 0; t < chain.num_slices(); ++t)
    if (!chain.slices[t].has_fixed_membership()) worst = std::max(worst, mass_error(state.slices[t]));
  return worst;
}

void set_sums(const PassSums& sums, SliceState& slice) {
  const double total = std::accumulate(sums.masses.begin(), sums.masses.end(), 0.0);
  slice.actual = sums.masses;
  for (double& mass : slice.actual) mass /= total;
  slice.means = sums.features;
  for (std::int64_t j = 0; j < slice.means.rows; ++j)
    for (std::int64_t k = 0; k < slice.means.columns; ++k) {
      const double mass = sums.masses[static_cast<std::size_t>(k)];
      slice.means(j, k) = mass > 0.0 ? slice.means(j, k) / mass : 0.0;
    }
  slice.entropy = sums.entropy;
}

}  // namespace thalweg
