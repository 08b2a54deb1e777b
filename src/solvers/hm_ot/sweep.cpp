#include "solvers/hm_ot/sweep.hpp"

#include <algorithm>
#include <cmath>

#include "exact/transport.hpp"
#include "solvers/hm_ot/edge_form.hpp"

namespace thalweg {

namespace {

/// Adds -sum_l T_kl w_l (or T_lk when transposed) / (epsilon g_k) to column k of `logits`.
/// @param costs   w_l: what mass at type l of the neighbour costs, by feature
void add_neighbour(const Matrix& coupling, bool is_transposed, const Matrix& costs, const std::vector<double>& masses,
                   double epsilon, Matrix& logits) {
  for (std::int64_t k = 0; k < logits.columns; ++k)
    for (std::int64_t l = 0; l < costs.columns; ++l) {
      const double share = is_transposed ? coupling(l, k) : coupling(k, l);
      if (share == 0.0) continue;
      const double scale = -1.0 / epsilon * share / masses[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < logits.rows; ++j) logits(j, k) += scale * costs(j, l);
    }
}

/// A common shift of all columns is a constant of each row: without it logits are smaller and exacter.
void center_columns(Matrix& logits) {
  for (std::int64_t j = 0; j < logits.rows; ++j) {
    double mean = 0.0;
    for (const double value : logits.row(j)) mean += value / static_cast<double>(logits.columns);
    for (double& value : logits.row(j)) value -= mean;
  }
}

double largest_entry(const Matrix& matrix) {
  double largest = 0.0;
  for (const double value : matrix.values) largest = std::max(largest, std::abs(value));
  return largest;
}

Matrix diagonal(const std::vector<double>& masses) {
  const auto r = static_cast<std::int64_t>(masses.size());
  Matrix result(r, r);
  for (std::int64_t k = 0; k < r; ++k) result(k, k) = masses[static_cast<std::size_t>(k)];
  return result;
}

}  // namespace

void solve_couplings(const Chain& chain, ChainState& state, bool keeps_diagonal) {
  for (std::size_t t = 0; t < chain.edges.size(); ++t) {
    const ChainEdge& edge = chain.edges[t];
    state.coupling_gap[t] = 0.0;
    if (edge.coupling) {
      state.couplings[t] = *edge.coupling;
    } else if (edge.is_diagonal && keeps_diagonal) {
      state.couplings[t] = diagonal(state.slices[t].masses);
    } else {
      const Matrix cost = coupling_cost(chain, state, t);
      // The sums s make P feasible to rounding; under a mask only the prescribed g are sure to be.
      const bool is_masked = edge.allowed.has_value();
      const SliceState &source = state.slices[t], &target = state.slices[t + 1];
      TransportSolution solution = solve_transport(is_masked ? source.masses : source.actual,
                                                   is_masked ? target.masses : target.actual, cost,
                                                   is_masked ? &*edge.allowed : nullptr);
      state.couplings[t] = std::move(solution.coupling);
      const double scale = largest_entry(cost);
      state.coupling_gap[t] = scale > 0.0 ? std::abs(solution.gap) / scale : 0.0;
    }
  }
}

Matrix block_logits(const Chain& chain, const ChainState& state, std::size_t slice, double epsilon) {
  Matrix logits(chain.dimension, chain.slices[slice].num_types);
  const std::vector<double>& masses = state.slices[slice].masses;
  const auto add = [&](std::size_t edge, std::size_t neighbour, bool is_transposed) {
    const EdgeForm form = edge_form(chain, edge, coordinate_moment(chain, state, edge));
    const Matrix costs = apply_form(chain, form, state.slices[neighbour].means, is_transposed);
    add_neighbour(state.couplings[edge], is_transposed, costs, masses, epsilon, logits);
  };
  if (slice + 1 < chain.num_slices()) add(slice, slice + 1, false);
  if (slice > 0) add(slice - 1, slice - 1, true);
  center_columns(logits);
  return logits;
}

bool solve_block(const Chain& chain, std::size_t slice, const SweepOptions& options, ChainState& state) {
  SliceState& block = state.slices[slice];
  Matrix logits = block_logits(chain, state, slice, options.epsilon);
  std::optional<DualSolution> solution =
      solve_column_duals(*chain.slices[slice].rows, logits, block.masses, block.duals, block.means, options.duals);
  if (!solution) return false;
  block.logits = std::move(logits);
  block.duals = std::move(solution->duals);
  set_sums(solution->sums, block);
  return true;
}

void lower_by_couplings(const Chain& chain, bool keeps_diagonal, ChainState& state) {
  constexpr int max_rounds = 100;
  for (int round = 0; round < max_rounds; ++round) {
    ChainState next = state;
    solve_couplings(chain, next, keeps_diagonal);
    update_objective(chain, 0.0, next);
    const bool is_lower = round == 0 || next.objective < state.objective;
    if (is_lower) state = std::move(next);
    if (!is_lower || !chain.has_coordinates()) return;
  }
}

bool sweep(const Chain& chain, const SweepOptions& options, ChainState& state) {
  for (const std::size_t parity : {std::size_t{0}, std::size_t{1}}) {
    for (std::size_t t = parity; t < chain.num_slices(); t += 2)
      if (!chain.slices[t].has_fixed_membership() && !solve_block(chain, t, options, state)) return false;
    solve_couplings(chain, state);
  }
  update_objective(chain, options.epsilon, state);
  return true;
}

void evaluate(const Chain& chain, double epsilon, ChainState& state) {
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    SliceState& slice = state.slices[t];
    if (chain.slices[t].has_fixed_membership()) continue;
    if (slice.duals.empty()) return;
    set_sums(chain.slices[t].rows->sums(slice.logits, slice.duals, {true, false}), slice);
    if (!chain.slices[t].fixed_mass) slice.masses = slice.actual;
  }
  solve_couplings(chain, state);
  update_objective(chain, epsilon, state);
}

}  // namespace thalweg
