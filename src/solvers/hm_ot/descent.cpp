#include "solvers/hm_ot/descent.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

std::int64_t num_passes(const Chain& chain) {
  std::int64_t passes = 0;
  for (const ChainSlice& slice : chain.slices)
    if (slice.rows) passes += slice.rows->num_passes();
  return passes;
}

Descent::Descent(const Chain& chain, const DescentOptions& options, std::string stage, Observer observer)
    : chain_(chain), options_(options), stage_(std::move(stage)), observer_(std::move(observer)) {}

SweepOptions Descent::sweep_options(double level) const {
  SweepOptions options;
  options.epsilon = level * chain_.variance;
  options.duals.tolerance = options_.inner_tolerance;
  options.duals.value_rounding = options_.value_rounding;
  return options;
}

void Descent::record(const ChainState& state, double level, std::int64_t sweep, double change, const std::string& reason) {
  if (!observer_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double gap = state.coupling_gap.empty() ? 0.0 : *std::max_element(state.coupling_gap.begin(), state.coupling_gap.end());
  observer_({stage_, level_index_, sweep, num_passes(chain_), level * chain_.variance, state.objective, state.regularized,
             gap, column_error(chain_, state), change, seconds, reason});
}

StopReason Descent::sweeps(double level, double tolerance, int max_sweeps, ChainState& state) {
  if (level != level_) {
    // The duals are kept in units of the cost.
    for (SliceState& slice : state.slices)
      for (double& dual : slice.duals) dual *= level_ > 0.0 ? level_ / level : 1.0;
    level_ = level;
    ++level_index_;
  }
  const SweepOptions options = sweep_options(level);
  StopReason reason = StopReason::max_iterations;
  double change = std::numeric_limits<double>::quiet_NaN();
  for (int count = 1; count <= max_sweeps; ++count) {
    ChainState next = state;
    const bool is_solved = sweep(chain_, options, next);
    if (!is_solved || !std::isfinite(next.regularized)) {
      reason = is_solved ? StopReason::nonfinite : StopReason::stagnated;
      break;
    }
    const bool is_first = count == 1;  // F of the previous state belongs to another epsilon
    change = is_first ? std::numeric_limits<double>::quiet_NaN()
                      : (state.regularized - next.regularized) / std::abs(state.regularized);
    if (change < -options_.monotone_rounding) {
      reason = StopReason::non_monotone;
      break;
    }
    state = std::move(next);
    if (!is_first && change <= tolerance) {
      reason = StopReason::converged;
      record(state, level, count, change, name_of(reason));
      return reason;
    }
    record(state, level, count, change, "");
  }
  record(state, level, max_sweeps, change, name_of(reason));
  return reason;
}

StopReason Descent::path_phase(int max_steps, ChainState& state) {
  const SweepOptions options = sweep_options(options_.smooth_level);
  const PathOutcome outcome = path_steps(chain_, options, options_.tolerance, max_steps, state);
  const StopReason closing = sweeps(options_.smooth_level, options_.tolerance, options_.max_sweeps, state);
  if (closing != StopReason::converged) return closing;
  return outcome.has_settled ? StopReason::converged : StopReason::max_iterations;
}

}  // namespace thalweg
