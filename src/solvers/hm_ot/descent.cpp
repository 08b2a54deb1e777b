#include "solvers/hm_ot/descent.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace thalweg {

namespace {

constexpr int max_rejections = 12;
constexpr double smallest_gain = 1e-10;  // of a step that is taken, unless the tolerance asks for less

/// Proposes the next state of a descent: mass step and momentum, each dropped when it does not help.
class Proposals {
 public:
  Proposals(const Chain& chain, const SweepOptions& options, double tolerance, double mass_tolerance, const ChainState& state)
      : chain_(chain), options_(options), tolerance_(tolerance), mass_tolerance_(mass_tolerance),
        moves_masses_(mass_tolerance < no_mass_steps && has_free_masses(chain)), previous_(odd_means(state)) {}

  /// A sweep from the current proposal; nothing when it cannot be made or solved.
  std::optional<ChainState> next(const ChainState& state) {
    ChainState trial = state;
    if (moves_masses_ && !move_masses(state, trial)) return std::nullopt;
    extrapolate(trial);
    if (!sweep(chain_, options_, trial) || !std::isfinite(trial.regularized)) return std::nullopt;
    return trial;
  }

  /// Neither momentum nor mass step: an exact block minimisation.
  bool is_plain() const { return momentum_steps_ == 0 && !moves_masses_; }

  /// The step from `state` lowered F_eps by `change`, relative.
  void accept(const ChainState& state, double change) {
    previous_ = odd_means(state);
    if (change <= mass_tolerance_ && momentum_steps_ == 0) moves_masses_ = false;
    momentum_steps_ = change <= std::max(tolerance_, moves_masses_ ? mass_tolerance_ : 0.0) ? 0 : momentum_steps_ + 1;
    rejections_ = 0;
    eta_ *= 1.5;
  }

  void reject() {
    if (momentum_steps_ > 0) {
      momentum_steps_ = 0;
      return;
    }
    eta_ /= 2.0;
    if (++rejections_ == max_rejections) moves_masses_ = false;
  }

 private:
  bool move_masses(const ChainState& state, ChainState& trial) {
    const PathScores scores = path_scores(chain_, state, options_.epsilon);
    const double range = scores.range();
    if (!(range > 0.0)) return true;
    if (eta_ == 0.0) eta_ = 1.0 / range;
    return set_law(chain_, tilted_law(chain_, state.couplings, scores, eta_), trial);
  }

  std::vector<Matrix> odd_means(const ChainState& state) const {
    std::vector<Matrix> means;
    for (std::size_t t = 1; t < state.slices.size(); t += 2) means.push_back(state.slices[t].means);
    return means;
  }

  void extrapolate(ChainState& trial) const {
    const double beta = static_cast<double>(momentum_steps_) / static_cast<double>(momentum_steps_ + 3);
    if (beta == 0.0) return;
    for (std::size_t t = 1; t < trial.slices.size(); t += 2) {
      if (chain_.slices[t].has_fixed_membership()) continue;
      Matrix& means = trial.slices[t].means;
      for (std::size_t i = 0; i < means.values.size(); ++i) means.values[i] += beta * (means.values[i] - previous_[t / 2].values[i]);
    }
  }

  const Chain& chain_;
  const SweepOptions& options_;
  double tolerance_;
  double mass_tolerance_;
  bool moves_masses_;
  std::vector<Matrix> previous_;
  int momentum_steps_ = 0;
  int rejections_ = 0;
  double eta_ = 0.0;
};

double range_of(const std::vector<double>& values) {
  if (values.empty()) return 0.0;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

/// How far F_eps of two states may differ because their type masses miss the prescribed ones: the errors at
/// the price of the derivatives of F_eps, which the duals and the scores of the mass step are.
double mass_slack(const Chain& chain, double epsilon, const ChainState& state, const ChainState& next) {
  const PathScores scores = path_scores(chain, next, epsilon);
  double slack = 0.0;
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    if (chain.slices[t].has_fixed_membership()) continue;
    const double price = std::max(epsilon * range_of(next.slices[t].duals), range_of(scores.nodes[t]));
    slack += price * (mass_error(state.slices[t]) + mass_error(next.slices[t]));
  }
  return slack;
}

}  // namespace

std::int64_t num_passes(const Chain& chain) {
  std::int64_t passes = 0;
  for (const ChainSlice& slice : chain.slices)
    if (slice.rows) passes += slice.rows->num_passes();
  return passes;
}

Descent::Descent(const Chain& chain, const DescentOptions& options, std::string stage, Observer observer,
                 StopCheck stop_check)
    : chain_(chain), options_(options), stage_(std::move(stage)), observer_(std::move(observer)),
      stop_check_(std::move(stop_check)) {}

SweepOptions Descent::sweep_options(double level) const {
  SweepOptions options;
  options.epsilon = level * chain_.variance;
  options.duals.tolerance = options_.inner_tolerance;
  options.duals.value_rounding = options_.value_rounding;
  return options;
}

bool Descent::has_risen(double epsilon, double scale, double gain, const ChainState& state, const ChainState& next) const {
  return -gain > options_.monotone_rounding &&
         -gain > options_.monotone_rounding + mass_slack(chain_, epsilon, state, next) / scale;
}

std::optional<StopReason> Descent::end_of(double epsilon, double tolerance, double scale, double gain, const ChainState& state,
                                          const std::optional<ChainState>& next) const {
  if (!next) return StopReason::stagnated;  // a block that cannot be solved
  if (has_risen(epsilon, scale, gain, state, *next)) return StopReason::non_monotone;
  if (gain > tolerance) return std::nullopt;
  const bool is_measurable = tolerance >= options_.gain_rounding || -gain <= tolerance;
  return is_measurable ? StopReason::converged : StopReason::stagnated;
}

std::optional<StopReason> Descent::enter_level(double level, const SweepOptions& options, ChainState& state) {
  ChainState first = state;
  const double previous = level_;
  if (level != level_) ++level_index_;
  level_ = level;
  // The duals are kept in units of the cost.
  for (SliceState& slice : first.slices)
    for (double& dual : slice.duals) dual *= previous > 0.0 ? previous / level : 1.0;
  const bool is_solved = sweep(chain_, options, first);
  if (is_solved && std::isfinite(first.regularized)) {
    state = std::move(first);
    return std::nullopt;
  }
  if (previous > 0.0) level_ = previous;  // the memberships stay as they were
  evaluate(chain_, epsilon(), state);
  const StopReason reason = is_solved ? StopReason::nonfinite : StopReason::stagnated;
  record(state, 0, 0.0, reason);
  return reason;
}

void Descent::record(const ChainState& state, std::int64_t sweep, double change, std::optional<StopReason> reason) {
  if (!observer_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double gap = state.coupling_gap.empty() ? 0.0 : *std::max_element(state.coupling_gap.begin(), state.coupling_gap.end());
  observer_({stage_, level_index_, sweep, num_passes(chain_) - passes_before_, level_ * chain_.variance, state.objective, state.regularized,
             gap, column_error(chain_, state), change, seconds, reason});
}

StopReason Descent::descend(double level, double tolerance, int max_sweeps, double mass_tolerance, ChainState& state) {
  const SweepOptions options = sweep_options(level);
  if (const auto failure = enter_level(level, options, state)) return *failure;
  Proposals proposals(chain_, options, tolerance, mass_tolerance, state);
  std::optional<StopReason> reason;
  double change = 0.0;
  std::int64_t count = 1;
  for (; count < max_sweeps && !reason; ++count) {
    const bool is_plain = proposals.is_plain();
    std::optional<ChainState> next = proposals.next(state);
    // Where nothing is left to transport, F_eps itself is rounding: epsilon is the floor of its scale.
    const double scale = std::max(std::abs(state.regularized), options.epsilon);
    const double gain = next ? (state.regularized - next->regularized) / scale : 0.0;
    // The state after a plain sweep is kept for its end to be judged.
    if (is_plain) reason = end_of(options.epsilon, tolerance, scale, gain, state, next);
    const bool is_taken = gain > std::min(smallest_gain, tolerance);
    if (is_taken) {
      proposals.accept(state, gain);
      state = std::move(*next);
    } else if (!is_plain) {
      proposals.reject();
    }
    if (!reason && stop_check_) reason = stop_check_();
    if (is_taken || is_plain) change = gain;
    else if (!reason) continue;
    record(state, count, change, reason);
  }
  if (!reason) {
    reason = StopReason::max_iterations;
    record(state, count, change, reason);
  }
  return *reason;
}

}  // namespace thalweg
