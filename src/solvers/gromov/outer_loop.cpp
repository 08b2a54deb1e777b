#include "solvers/gromov/outer_loop.hpp"

#include <algorithm>
#include <cmath>

#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

constexpr double share_of_change = 0.1;  // inner tolerance, of the last change of the linear cost
constexpr double first_inner_tolerance = 1e-2;
constexpr double shortest_step = 1.0 / 1024.0;
constexpr std::int64_t measure_every = 5;                   // steps of t < 1 between those that measure the gap
constexpr double rise_float64 = 1e-9, rise_float32 = 1e-6;  // of |F|: rounding

bool is_finite(const OuterState& state) { return std::isfinite(state.primal()) && std::isfinite(state.inner.dual); }

}  // namespace

OuterLoop::OuterLoop(const Context& context, const GromovProblem& problem, const GromovSettings& settings)
    : context_(context),
      problem_(problem),
      settings_(settings),
      history_(context_.comm, problem, settings.checkpoint),
      cost_(make_quadratic_cost(context, problem)) {}

GromovSolution OuterLoop::solve() {
  if (!restore()) begin();
  Stop stop;
  if (now_.is_annealing) stop = anneal();
  if (!stop) stop = descend();
  return history_.end(*stop, cost_->units(), state_.primal(), state_, settings_.keep_linear);
}

/// Proximal steps begin at the final epsilon, and a start that may be stationary is not to be left.
void OuterLoop::begin() {
  now_.epsilon = problem_.epsilon;
  if (!is_proximal() && settings_.epsilon_start) now_.epsilon = std::max(*settings_.epsilon_start, problem_.epsilon);
  const bool is_given = !std::holds_alternative<std::monostate>(settings_.start);
  now_.inner_tolerance = is_given && now_.epsilon == problem_.epsilon
                             ? settings_.inner_tolerance
                             : std::max(settings_.inner_tolerance, first_inner_tolerance);
  now_.keeps_last = is_proximal() || !cost_->is_stored();
  state_.at.linear = first_linear();
}

LinearCost OuterLoop::first_linear() const {
  if (const auto* coupling = std::get_if<CellCoupling>(&settings_.start)) return cost_->at_coupling(*coupling);
  if (const auto* entries = std::get_if<SharedEntries>(&settings_.start)) return cost_->at_entries(**entries);
  if (const auto* linear = std::get_if<LinearCost>(&settings_.start)) return *linear;
  return cost_->at_product();
}

/// From the start: one full step at every epsilon above the final one, then one at that.
OuterLoop::Stop OuterLoop::anneal() {
  while (now_.is_annealing) {
    if (const Stop stop = ask()) return stop;
    forget_cost();
    OuterState next = solved(state_.at.linear, now_.epsilon, state_.inner.g);
    if (is_proximal()) set_prices(next.inner.g, next);
    const double change = cost_->relative_change(next.linear, next.at.linear);
    now_.inner_tolerance = std::max(settings_.inner_tolerance, share_of_change * change);
    state_ = std::move(next);
    record(state_, unknown, change, true);
    if (!is_finite(state_)) return StopReason::nonfinite;
    if (is_stop_request(state_.inner.stop_reason)) return state_.inner.stop_reason;
    now_.is_annealing = now_.epsilon > problem_.epsilon;
    if (!now_.is_annealing) break;
    now_.epsilon = std::max(problem_.epsilon, now_.epsilon * settings_.epsilon_decay);
    ++now_.level;
  }
  return {};
}

/// K <- (1 - t) K + t K(P) and P anew, until the gap is closed.
OuterLoop::Stop OuterLoop::descend() {
  while (now_.outer < settings_.max_outer)
    if (const Stop stop = now_.is_tightening ? tighten() : step()) return stop;
  if (is_loose(state_))  // F of a loose linear problem may be too small
    if (const Stop stop = tighten()) return stop;
  return StopReason::max_iterations;
}

OuterLoop::Stop OuterLoop::step() {
  if (const Stop stop = ask()) return stop;
  if (now_.since_full >= measure_every && state_.reach == 1.0) now_.step = 1.0;
  LinearCost linear = next_linear();
  if (!now_.keeps_last) forget_cost();
  Trial trial;
  trial.state = solved(std::move(linear), problem_.epsilon, next_potentials());
  trial.is_full = now_.step == 1.0;
  now_.since_full = trial.is_full ? 0 : now_.since_full + 1;
  ++now_.outer;
  if (is_proximal()) set_prices(prices_of(trial.state), trial.state);
  trial.gap = trial.is_full ? gap_of(state_, trial.state) : unknown;
  trial.is_risen = is_risen(trial.state);
  trial.change = change_of(trial.state);
  record(trial.state, trial.gap, trial.change, !(trial.is_risen && now_.keeps_last));
  if (trial.is_full) history_.set_gap(trial.gap);
  return settle(std::move(trial));
}

/// A step stands or is taken back.
OuterLoop::Stop OuterLoop::settle(Trial trial) {
  const bool is_taken_back = trial.is_risen && now_.keeps_last;
  const Stop stop = end_of_step(trial);
  const bool goes_on = !stop || *stop == StopReason::converged;
  now_.is_tightening = is_taken_back && goes_on && is_loose(state_);
  if (now_.is_tightening) return {};
  if (is_taken_back && stop == StopReason::converged && !state_.is_tight) {
    state_ = std::move(trial.state);  // F of the one before was too small: its marginals are not met
    return stop;
  }
  if (is_taken_back) {
    if (stop) return stop;
    if (const Stop too_short = shorten()) return too_short;
  } else if (trial.is_risen) {
    stand(std::move(trial.state));
  } else {
    state_ = std::move(trial.state);
    lengthen();
  }
  const bool is_closed = trial.is_full && trial.gap <= settings_.tolerance * std::abs(state_.primal());
  const double loosest = std::min(now_.inner_tolerance, share_of_change * trial.change);
  now_.inner_tolerance = is_closed ? settings_.inner_tolerance : std::max(settings_.inner_tolerance, loosest);
  return stop;
}

/// The solution of a linear problem, to the present inner tolerance, and E about it.
OuterState OuterLoop::solved(LinearCost linear, double epsilon, std::vector<double> g) {
  OuterState state;
  state.linear = std::move(linear);
  state.geometry = cost_->geometry_of(state.linear);
  state.is_proximal = is_proximal();
  state.inner = solve_linear(*state.geometry, epsilon, std::move(g));
  history_.add_evaluations(state.inner);
  state.tolerance = now_.inner_tolerance;
  state.is_tight = state.inner.stop_reason == StopReason::converged && now_.inner_tolerance <= settings_.inner_tolerance;
  state.at = cost_->at(state.linear, *state.geometry, state.inner);
  return state;
}

/// (1 - t) K + t K(P); proximal: K + t K(P), as log P = log a b - (sum of t K(P) of all steps) / epsilon + f and g
/// terms.
LinearCost OuterLoop::next_linear() {
  if (is_proximal()) return added(state_.linear, state_.at.linear, now_.step);
  if (now_.step != state_.reach) state_.at.linear = mixed(state_.linear, state_.at.linear, now_.step / state_.reach);
  state_.reach = now_.step;
  return state_.at.linear;
}

/// Of the present state what is cells x cells, except K(P).
void OuterLoop::forget_cost() {
  state_.linear = {};
  state_.geometry.reset();
}

/// g; proximal: g + t psi, as K(P) is nearly phi + psi where P has mass.
std::vector<double> OuterLoop::next_potentials() const {
  std::vector<double> g = state_.inner.g;
  for (std::size_t j = 0; j < state_.prices.size(); ++j) g[j] += now_.step * state_.prices[j];
  return g;
}

/// (g - g before) / t: K(P) less row terms where the step left P as it was.
std::vector<double> OuterLoop::prices_of(const OuterState& state) const {
  std::vector<double> prices = state.inner.g;
  for (std::size_t j = 0; j < prices.size(); ++j) prices[j] = (prices[j] - state_.inner.g[j]) / now_.step;
  return prices;
}

void OuterLoop::set_prices(std::vector<double> prices, OuterState& state) const {
  state.correction = 0.0;
  for (std::size_t j = 0; j < prices.size(); ++j)
    state.correction += prices[j] * (problem_.b[j] - state.inner.column_sums[j]);
  if (problem_.mode == GromovMode::semi_relaxed) state.correction = 0.0;
  state.prices = std::move(prices);
}

/// Of the linear cost; proximal: of the step's own.
double OuterLoop::change_of(const OuterState& candidate) const {
  return cost_->relative_change(is_proximal() ? state_.at.linear : candidate.linear, candidate.at.linear);
}

/// epsilon KL(P | P+), P+ of the cost K(P): the exponents of both are known.
double OuterLoop::gap_of(const OuterState& state, const OuterState& next) const {
  const SinkhornSolution &p = state.inner, &q = next.inner;
  std::vector<double> terms(p.f.size());
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = (p.f[i] - q.f[i]) * p.row_sums[i];
  const double rise = is_proximal() ? state.at.value : state.at.difference;
  double gap = rise + ordered_sum(context_.comm, terms) + p.epsilon * (q.mass - p.mass);
  for (std::size_t j = 0; j < p.g.size(); ++j)
    if (p.column_sums[j] > 0.0) gap += (p.g[j] - q.g[j]) * p.column_sums[j];
  return gap;
}

bool OuterLoop::is_risen(const OuterState& candidate) const {
  const double rounding = context_.precision == Precision::float64 ? rise_float64 : rise_float32;
  return !(candidate.lagrangian() <= state_.lagrangian() + rounding * std::abs(state_.primal()));
}

/// The present coupling to the final inner tolerance, which stays: before that its F may seem lower than it is.
OuterLoop::Stop OuterLoop::tighten() {
  now_.is_tightening = true;
  if (const Stop stop = ask()) return stop;
  now_.inner_tolerance = settings_.inner_tolerance;
  state_.geometry.reset();  // stored costs are large: no more of them than in any other step
  state_.at = {};
  OuterState tight = solved(state_.linear, problem_.epsilon, state_.inner.g);
  if (is_proximal()) set_prices(state_.prices, tight);
  state_ = std::move(tight);
  now_.is_tightening = false;
  if (!is_finite(state_)) return StopReason::nonfinite;
  if (is_stop_request(state_.inner.stop_reason)) return state_.inner.stop_reason;
  return {};
}

/// Goes on from a coupling of larger F. Where the one before was solved well enough to tell, steps become shorter.
void OuterLoop::stand(OuterState risen) {
  now_.keeps_last = !is_loose(state_);
  if (now_.keeps_last) now_.step /= 2.0;
  now_.inner_tolerance = settings_.inner_tolerance;
  state_ = std::move(risen);
}

OuterLoop::Stop OuterLoop::end_of_step(const Trial& trial) const {
  const OuterState& candidate = trial.state;
  if (!is_finite(candidate)) return StopReason::nonfinite;
  const StopReason inner = candidate.inner.stop_reason;
  if (is_stop_request(inner)) return inner;
  const bool is_closed = trial.gap <= settings_.tolerance * std::abs(candidate.primal());
  const bool stands = trial.is_risen && !now_.keeps_last;  // the coupling that had this gap is gone
  if (is_closed && candidate.is_tight && !stands) return StopReason::converged;
  if (is_closed && inner == StopReason::max_iterations) return StopReason::inner_max_iterations;
  if (is_closed && inner == StopReason::stagnated) return inner;
  if (trial.is_risen && cost_->is_concave() && state_.is_tight && candidate.is_tight) return StopReason::non_monotone;
  return {};
}

OuterLoop::Stop OuterLoop::shorten() {
  if (cost_->is_concave()) return {};  // a linear problem was not solved well enough
  now_.step /= 2.0;
  if (now_.step < shortest_step) return StopReason::stagnated;
  return {};
}

void OuterLoop::lengthen() { now_.step = std::min(1.0, 2.0 * now_.step); }

void OuterLoop::record(const OuterState& state, double gap, double change, bool is_accepted) {
  GromovRecord step;
  step.level = now_.level;
  step.primal = state.primal();
  step.gap = gap;
  step.step = now_.step;
  step.change = change;
  step.is_accepted = is_accepted;
  history_.record(step, state);
}

}  // namespace thalweg
