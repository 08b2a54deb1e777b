// States of solves on disk.
#include <algorithm>

#include "job/embedding_starts.hpp"
#include "job/plan.hpp"
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
  const std::int64_t n = input.cells_per_slice[0], m = input.cells_per_slice[1];
  const WideInt coupled = WideInt{std::min(n, most_cells_coupled)} * std::min(m, most_cells_coupled);
  return training_state_bytes(input.fitted_starts + input.random_starts, 2 * input.encoder_weights, m) +
         8 * input.fitted_starts * coupled;
}

}  // namespace

WideInt saved_bytes(const PlanInput& input) {
  constexpr WideInt least_iterates = 3;  // the present one, the baseline and the means before
  if (input.command == "transport") return transport_state(input);
  if (input.command == "hmot" || input.command == "lowrank") return std::max(WideInt{input.starts}, least_iterates) * chain_state(input);
  if (input.command == "embed train") return training_state(input);
  return 0;
}

}  // namespace thalweg
