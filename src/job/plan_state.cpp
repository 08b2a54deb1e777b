// States of solves on disk.
#include <algorithm>

#include "job/plan.hpp"
#include "solvers/embedding/training.hpp"
#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/multi_start.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

namespace {

/// Of any acceleration without a window, that with the larger state.
WideInt transport_state(const PlanInput& input) {
  SinkhornSettings settings;
  settings.acceleration = input.acceleration_history > 0 ? Acceleration::anderson : Acceleration::overrelax;
  settings.anderson_history = input.acceleration_history;
  return 8 * (WideInt{input.cells_per_slice[0]} + WideInt{sinkhorn_state_vectors(settings)} * input.cells_per_slice[1]);
}

/// Memberships, masses and couplings of one iterate.
WideInt chain_state(const PlanInput& input) {
  const std::size_t num_slices = input.cells_per_slice.size();
  const auto types_of = [&](std::size_t t) -> WideInt { return input.types.size() == num_slices ? input.types[t] : input.types.front(); };
  WideInt numbers = 2;
  for (std::size_t t = 0; t < num_slices; ++t) {
    numbers += (2 * WideInt{input.num_features} + 3) * types_of(t) + 1;
    if (t + 1 < num_slices) numbers += types_of(t) * types_of(t + 1) + 1;
  }
  return 8 * numbers;
}

/// Of the first step, when no alignment is fitted yet.
WideInt training_state(const PlanInput& input) {
  const WideInt coupled = WideInt{input.coupled_sources} * input.coupled_targets;
  return training_state_bytes(input.fitted_starts + input.random_starts, 2 * input.encoder_weights,
                              input.cells_per_slice[1]) +
         8 * input.fitted_starts * coupled;
}

constexpr WideInt linear_costs_of_step = 2;  // where it began, and towards which it goes

/// Numbers about one coupling: potentials, sums, references.
WideInt coupling_vectors(const PlanInput& input) {
  return 8 * 3 * (WideInt{input.cells_per_slice[0]} + WideInt{input.cells_per_slice[1]});
}

/// K of a coupling: of stored costs, or the small core of others.
WideInt linear_cost(const PlanInput& input) {
  if (input.low_rank) return 8 * WideInt{input.factor_columns} * WideInt{input.other_factor_columns};
  if (input.cost_bytes == 0) return 8 * (WideInt{input.num_features} + 1) * (WideInt{input.other_features} + 1);
  return (input.is_double ? 8 : 4) * WideInt{input.cells_per_slice[0]} * WideInt{input.cells_per_slice[1]};
}

/// The start under way with its linear problem, the couplings kept of those before, samples of theirs, and the starts on
/// anchors.
WideInt alignment_state(const PlanInput& input) {
  const MultiStartSettings starts;
  const WideInt n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  const WideInt x = std::min<WideInt>(n, starts.anchors), y = std::min<WideInt>(m, starts.anchors);
  const bool is_small = std::max(n, m) <= starts.anchors;
  const WideInt num_starts = std::max<WideInt>(input.starts, 1);
  const WideInt before = is_small ? num_starts - 1 : std::min<WideInt>(num_starts - 1, starts.carried - 1);
  const WideInt kept = std::min<WideInt>(before, input.kept_couplings);
  WideInt bytes = (linear_costs_of_step + kept) * linear_cost(input) + (1 + kept) * coupling_vectors(input);
  if (input.exact_linear) bytes = std::max(bytes, (2 + kept) * 8 * n * m + kept * coupling_vectors(input));
  bytes += 8 * (n + WideInt{sinkhorn_state_vectors(SinkhornSettings{})} * m);
  if (is_small && num_starts > 2) bytes += 8 * n * m;  // whose groups are exchanged
  bytes += 4 * before * std::min<WideInt>(n, most_sampled_rows) * m;
  return bytes + (is_small || num_starts <= 2 ? 0 : 4 * num_starts * x * y);
}

/// Of the alignments before a training, all of whose couplings are kept; costs between landmarks are stored.
WideInt state_before_training(const PlanInput& input) {
  if (input.fitted_starts == 0) return 0;
  PlanInput coupled = input;
  coupled.cells_per_slice = {input.coupled_sources, input.coupled_targets};
  coupled.kept_couplings = input.starts;
  if (coupled.cells_per_slice != input.cells_per_slice) coupled.low_rank = false;
  return alignment_state(coupled);
}

}  // namespace

WideInt saved_bytes(const PlanInput& input) {
  constexpr WideInt least_iterates = 3;  // the present one, the baseline and the means before
  if (input.command == "transport") return transport_state(input);
  if (input.command == "hmot" || input.command == "lowrank") return std::max(WideInt{input.starts}, least_iterates) * chain_state(input);
  if (input.command == "embed train") return std::max(training_state(input), state_before_training(input));
  if (input.command == "gromov" || input.command == "align") return alignment_state(input);
  return 0;
}

}  // namespace thalweg
