#include "solvers/hm_ot/descent.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace thalweg {

namespace {

constexpr int max_rejections = 12;
constexpr double smallest_gain = 1e-10;  // of a step that is taken, unless the tolerance asks for less

/// Proposes the next state of a descent: mass step and momentum, each dropped when it does not help.
class Proposals {
 public:
  Proposals(const Chain& chain, const SweepOptions& options, double tolerance, double mass_tolerance, DescentPosition& position)
      : chain_(chain), options_(options), tolerance_(tolerance), mass_tolerance_(mass_tolerance), at_(position) {}

  /// At a new level.
  void begin(const ChainState& state) {
    at_.moves_masses = mass_tolerance_ < no_mass_steps && has_free_masses(chain_);
    at_.momentum_steps = at_.rejections = 0;
    at_.mass_step = 0.0;
    at_.previous = odd_means(state);
  }

  /// A sweep from the current proposal; nothing when it cannot be made or solved.
  std::optional<ChainState> next(const ChainState& state) {
    ChainState trial = state;
    if (at_.moves_masses && !move_masses(state, trial)) return std::nullopt;
    extrapolate(trial);
    if (!sweep(chain_, options_, trial) || !std::isfinite(trial.regularized)) return std::nullopt;
    return trial;
  }

  /// Neither momentum nor mass step: an exact block minimisation.
  bool is_plain() const { return at_.momentum_steps == 0 && !at_.moves_masses; }

  /// The step from `state` lowered F_eps by `change`, relative.
  void accept(const ChainState& state, double change) {
    at_.previous = odd_means(state);
    if (change <= mass_tolerance_ && at_.momentum_steps == 0) at_.moves_masses = false;
    at_.momentum_steps = change <= std::max(tolerance_, at_.moves_masses ? mass_tolerance_ : 0.0) ? 0 : at_.momentum_steps + 1;
    at_.rejections = 0;
    at_.mass_step *= 1.5;
  }

  void reject() {
    if (at_.momentum_steps > 0) {
      at_.momentum_steps = 0;
      return;
    }
    at_.mass_step /= 2.0;
    if (++at_.rejections == max_rejections) at_.moves_masses = false;
  }

 private:
  bool move_masses(const ChainState& state, ChainState& trial) {
    const PathScores scores = path_scores(chain_, state, options_.epsilon);
    const double range = scores.range();
    if (!(range > 0.0)) return true;
    if (at_.mass_step == 0.0) at_.mass_step = 1.0 / range;
    return set_law(chain_, tilted_law(chain_, state.couplings, scores, at_.mass_step), trial);
  }

  std::vector<Matrix> odd_means(const ChainState& state) const {
    std::vector<Matrix> means;
    for (std::size_t t = 1; t < state.slices.size(); t += 2) means.push_back(state.slices[t].means);
    return means;
  }

  void extrapolate(ChainState& trial) const {
    const double beta = static_cast<double>(at_.momentum_steps) / static_cast<double>(at_.momentum_steps + 3);
    if (beta == 0.0) return;
    for (std::size_t t = 1; t < trial.slices.size(); t += 2) {
      if (chain_.slices[t].has_fixed_membership()) continue;
      Matrix& means = trial.slices[t].means;
      for (std::size_t i = 0; i < means.values.size(); ++i) means.values[i] += beta * (means.values[i] - at_.previous[t / 2].values[i]);
    }
  }

  const Chain& chain_;
  const SweepOptions& options_;
  double tolerance_;
  double mass_tolerance_;
  DescentPosition& at_;
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

void DescentPosition::visit_state(StateVisitor& v, const Chain& chain) {
  v.scalar("level_index", level_index);
  v.scalar("level", level);
  v.scalar("sweep", sweep);
  v.scalar("change", change);
  v.scalar("moves_masses", moves_masses);
  v.scalar("momentum_steps", momentum_steps);
  v.scalar("rejections", rejections);
  v.scalar("mass_step", mass_step);
  if (v.is_restoring()) {
    previous.clear();
    for (std::size_t t = 1; t < chain.num_slices(); t += 2) previous.emplace_back(chain.dimension, chain.slices[t].num_types);
  }
  std::vector<std::vector<double>*> means;
  for (Matrix& matrix : previous) means.push_back(&matrix.values);
  v.ragged("previous_means", means);
  v.scalar("passes", passes);
  v.scalar("seconds", seconds);
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
  const double previous = position_.level;
  if (level != previous) ++position_.level_index;
  position_.level = level;
  // The duals are kept in units of the cost.
  for (SliceState& slice : first.slices)
    for (double& dual : slice.duals) dual *= previous > 0.0 ? previous / level : 1.0;
  const bool is_solved = sweep(chain_, options, first);
  if (is_solved && std::isfinite(first.regularized)) {
    state = std::move(first);
    return std::nullopt;
  }
  if (previous > 0.0) position_.level = previous;  // the memberships stay as they were
  evaluate(chain_, epsilon(), state);
  const StopReason reason = is_solved ? StopReason::nonfinite : StopReason::stagnated;
  record(state, 0, 0.0, reason);
  return reason;
}

double Descent::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

DescentPosition Descent::position() const {
  DescentPosition position = position_;
  position.passes = num_passes(chain_) - passes_before_;
  position.seconds = seconds();
  return position;
}

void Descent::resume(DescentPosition position) {
  position_ = std::move(position);
  passes_before_ = num_passes(chain_) - position_.passes;
  begin_ -= std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(position_.seconds));
  is_resumed_ = true;
}

DescentRecord Descent::record_of(const ChainState& state, std::int64_t sweep, double change, std::optional<StopReason> reason) const {
  const double gap = state.coupling_gap.empty() ? 0.0 : *std::max_element(state.coupling_gap.begin(), state.coupling_gap.end());
  return {stage_, position_.level_index, sweep, num_passes(chain_) - passes_before_, epsilon(), state.objective, state.regularized,
          gap, column_error(chain_, state), change, seconds(), reason};
}

void Descent::record(const ChainState& state, std::int64_t sweep, double change, std::optional<StopReason> reason) {
  if (observer_) observer_(record_of(state, sweep, change, reason));
}

StopReason Descent::descend(double level, double tolerance, int max_sweeps, double mass_tolerance, ChainState& state) {
  const SweepOptions options = sweep_options(level);
  Proposals proposals(chain_, options, tolerance, mass_tolerance, position_);
  if (!std::exchange(is_resumed_, false)) {
    if (const auto failure = enter_level(level, options, state)) return *failure;
    position_.sweep = 1;
    position_.change = 0.0;
    proposals.begin(state);
  }
  std::optional<StopReason> reason;
  while (position_.sweep < max_sweeps && !reason) {
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
    const std::int64_t count = position_.sweep++;
    const bool is_shown = is_taken || is_plain;
    if (is_shown) position_.change = gain;
    if (!reason && stop_check_) {
      if (is_shown) pending_ = record_of(state, count, gain, std::nullopt);
      reason = stop_check_();
      pending_.reset();
    }
    if (is_shown || reason) record(state, count, position_.change, reason);
  }
  if (!reason) {
    reason = StopReason::max_iterations;
    record(state, position_.sweep, position_.change, reason);
  }
  return *reason;
}

}  // namespace thalweg
