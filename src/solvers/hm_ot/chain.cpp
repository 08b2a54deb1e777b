#include "solvers/hm_ot/chain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solvers/hm_ot/edge_form.hpp"

namespace thalweg {

namespace {

/// sum_kl T_kl m_k^T m'_l over features [first, last).
double coupled_product(const ChainState& state, std::size_t edge, std::int64_t first, std::int64_t last) {
  const Matrix &source = state.slices[edge].means, &target = state.slices[edge + 1].means, &coupling = state.couplings[edge];
  double sum = 0.0;
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    for (std::int64_t l = 0; l < coupling.columns; ++l) {
      if (coupling(k, l) == 0.0) continue;
      double product = 0.0;
      for (std::int64_t j = first; j < last; ++j) product += source(j, k) * target(j, l);
      sum += coupling(k, l) * product;
    }
  return sum;
}

double squared_norm(const Matrix& matrix) {
  return std::inner_product(matrix.values.begin(), matrix.values.end(), matrix.values.begin(), 0.0);
}

/// GW of a coupling with alpha^T P beta = mean alpha mean beta: const - 8 mean alpha mean beta.
double product_gromov(const IntraMoments& source, const IntraMoments& target) {
  return source.squared_costs() + target.squared_costs() - 8.0 * source.square * target.square;
}

}  // namespace

Matrix coupling_cost(const Chain& chain, const ChainState& state, std::size_t edge) {
  const Matrix& source = state.slices[edge].means;
  const EdgeForm form = edge_form(chain, edge, coordinate_moment(chain, state, edge));
  const Matrix target = apply_form(chain, form, state.slices[edge + 1].means, /*is_transposed=*/false);
  Matrix cost(source.columns, target.columns);
  for (std::int64_t j = 0; j < chain.dimension; ++j)
    for (std::int64_t k = 0; k < source.columns; ++k) {
      const double value = source(j, k);
      for (std::int64_t l = 0; l < target.columns; ++l) cost(k, l) += value * target(j, l);
    }
  return cost;
}

TransitionParts transition_parts(const Chain& chain, const ChainState& state, std::size_t edge) {
  const ChainSlice &source = chain.slices[edge], &target = chain.slices[edge + 1];
  const std::int64_t features = chain.num_features(), p = chain.dimension;
  TransitionParts parts;
  parts.transport = source.second_moment + target.second_moment -
                    2.0 * chain.feature_unit * chain.feature_unit * coupled_product(state, edge, 0, features);
  if (!chain.has_coordinates()) return parts;
  const double units = source.coordinate_unit * target.coordinate_unit;
  parts.gromov = product_gromov(source.intra, target.intra) -
                 4.0 * source.square_unit * target.square_unit * coupled_product(state, edge, p - 1, p) -
                 8.0 * units * units * squared_norm(coordinate_moment(chain, state, edge));
  return parts;
}

double transition_cost(const Chain& chain, const ChainState& state, std::size_t edge) {
  const TransitionParts parts = transition_parts(chain, state, edge);
  return chain.edges[edge].weight * parts.transport + chain.edges[edge].gromov * parts.gromov;
}

TransitionParts product_parts(const ChainSlice& source, const ChainSlice& target, double mean_product) {
  return {source.second_moment + target.second_moment - 2.0 * mean_product, product_gromov(source.intra, target.intra)};
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
