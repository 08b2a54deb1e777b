#include "solvers/gromov/outer_loop.hpp"

#include <algorithm>
#include <cmath>

#include "solvers/gromov/row_softmin.hpp"
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
      history_(context_.comm, problem),
      cost_(make_quadratic_cost(context, problem)),
      keeps_last_(is_proximal() || !cost_->is_stored()),
      inner_tolerance_(std::max(settings.inner_tolerance, first_inner_tolerance)) {}

GromovSolution OuterLoop::solve() {
  Stop stop = anneal();
  if (!stop) stop = descend();
  return history_.end(*stop, cost_->units(), state_.primal(), state_.inner, state_.at, state_.geometry,
                      settings_.keep_linear);
}

LinearCost OuterLoop::first_linear() const {
  if (const auto* coupling = std::get_if<CellCoupling>(&settings_.start)) return cost_->at_coupling(*coupling);
  if (const auto* entries = std::get_if<CouplingEntries>(&settings_.start)) return cost_->at_entries(*entries);
  if (const auto* linear = std::get_if<LinearCost>(&settings_.start)) return *linear;
  return cost_->at_product();
}

/// From the start: one full step at every epsilon above the final one, then one at that. Proximal steps begin there.
OuterLoop::Stop OuterLoop::anneal() {
  double epsilon = std::max(settings_.epsilon_start.value_or(problem_.epsilon), problem_.epsilon);
  if (is_proximal()) epsilon = problem_.epsilon;
  if (epsilon == problem_.epsilon && !std::holds_alternative<std::monostate>(settings_.start))
    inner_tolerance_ = settings_.inner_tolerance;  // not to leave a start that may be stationary
  LinearCost linear = first_linear();
  std::vector<double> g;
  while (true) {
    OuterState next = solved(std::move(linear), epsilon, std::move(g));
    if (is_proximal()) set_prices(next.inner.g, next);
    const double change = cost_->relative_change(next.linear, next.at.linear);
    inner_tolerance_ = std::max(settings_.inner_tolerance, share_of_change * change);
    state_ = std::move(next);
    record(state_, unknown, change, true);
    if (!is_finite(state_)) return StopReason::nonfinite;
    if (const Stop stop = history_.stop_request()) return stop;
    if (epsilon == problem_.epsilon) return {};
    linear = std::move(state_.at.linear);
    g = state_.inner.g;
    forget_cost();
    epsilon = std::max(problem_.epsilon, epsilon * settings_.epsilon_decay);
    ++level_;
  }
}

/// K <- (1 - t) K + t K(P) and P anew, until the gap is closed.
OuterLoop::Stop OuterLoop::descend() {
  for (std::int64_t outer = 0; outer < settings_.max_outer; ++outer) {
    if (since_full_ >= measure_every && state_.reach == 1.0) step_ = 1.0;
    const bool is_full = step_ == 1.0;
    since_full_ = is_full ? 0 : since_full_ + 1;
    LinearCost linear = next_linear();
    if (!keeps_last_) forget_cost();
    OuterState candidate = solved(std::move(linear), problem_.epsilon, next_potentials());
    if (is_proximal()) set_prices(prices_of(candidate), candidate);
    const double gap = is_full ? gap_of(state_, candidate) : unknown;
    const bool risen = is_risen(candidate), is_taken_back = risen && keeps_last_;
    const double change = change_of(candidate);
    record(candidate, gap, change, !is_taken_back);
    if (is_full) history_.set_gap(gap);
    const Stop stop = end_of_step(candidate, gap, risen);
    const bool goes_on = !stop || *stop == StopReason::converged;
    if (is_taken_back && goes_on && is_loose(state_)) {
      candidate = {};  // stored costs are large: no more of them than in any other step
      tighten();
      continue;
    }
    if (is_taken_back && stop == StopReason::converged && !state_.is_tight) {
      state_ = std::move(candidate);  // F of the one before was too small: its marginals are not met
      return stop;
    }
    if (is_taken_back) {
      if (stop) return stop;
      if (const Stop too_short = shorten()) return too_short;
    } else if (risen) {
      stand(std::move(candidate));
    } else {
      state_ = std::move(candidate);
      lengthen();
    }
    const bool is_closed = is_full && gap <= settings_.tolerance * std::abs(state_.primal());
    inner_tolerance_ = is_closed
                           ? settings_.inner_tolerance
                           : std::max(settings_.inner_tolerance, std::min(inner_tolerance_, share_of_change * change));
    if (stop) return stop;
  }
  if (is_loose(state_)) tighten();  // F of a loose linear problem may be too small
  if (is_stop_request(state_.inner.stop_reason)) return state_.inner.stop_reason;
  return StopReason::max_iterations;
}

/// The solution of a linear problem, to the present inner tolerance, and E about it.
OuterState OuterLoop::solved(LinearCost linear, double epsilon, std::vector<double> g) {
  OuterState state;
  state.linear = std::move(linear);
  state.geometry = cost_->geometry_of(state.linear);
  state.is_proximal = is_proximal();
  state.inner = solve_linear(*state.geometry, epsilon, std::move(g));
  history_.add_evaluations(state.inner);
  state.tolerance = inner_tolerance_;
  state.is_tight = state.inner.stop_reason == StopReason::converged && inner_tolerance_ <= settings_.inner_tolerance;
  state.at = cost_->at(state.linear, *state.geometry, state.inner);
  return state;
}

SinkhornSolution OuterLoop::solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g) const {
  if (problem_.mode == GromovMode::semi_relaxed) return row_softmin(context_, problem_, geometry, epsilon);
  SinkhornProblem inner;
  inner.geometry = &geometry;
  inner.a = problem_.a;
  inner.b = problem_.b;
  inner.epsilon = epsilon;
  inner.initial_g = std::move(g);
  SinkhornSettings how;
  how.tolerance = inner_tolerance_;
  how.max_iterations = settings_.inner_iterations;
  how.certify = false;
  return solve_sinkhorn(context_, inner, how, {}, history_.stop_check());
}

/// (1 - t) K + t K(P); proximal: K + t K(P), as log P = log a b - (sum of t K(P) of all steps) / epsilon + f and g
/// terms.
LinearCost OuterLoop::next_linear() {
  if (is_proximal()) return added(state_.linear, state_.at.linear, step_);
  if (step_ != state_.reach) state_.at.linear = mixed(state_.linear, state_.at.linear, step_ / state_.reach);
  state_.reach = step_;
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
  for (std::size_t j = 0; j < state_.prices.size(); ++j) g[j] += step_ * state_.prices[j];
  return g;
}

/// (g - g before) / t: K(P) less row terms where the step left P as it was.
std::vector<double> OuterLoop::prices_of(const OuterState& state) const {
  std::vector<double> prices = state.inner.g;
  for (std::size_t j = 0; j < prices.size(); ++j) prices[j] = (prices[j] - state_.inner.g[j]) / step_;
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
void OuterLoop::tighten() {
  inner_tolerance_ = settings_.inner_tolerance;
  std::vector<double> prices = std::move(state_.prices);
  state_.geometry.reset();
  state_.at = {};
  state_ = solved(std::move(state_.linear), problem_.epsilon, state_.inner.g);
  if (is_proximal()) set_prices(std::move(prices), state_);
}

/// Goes on from a coupling of larger F. Where the one before was solved well enough to tell, steps become shorter.
void OuterLoop::stand(OuterState risen) {
  keeps_last_ = !is_loose(state_);
  if (keeps_last_) step_ /= 2.0;
  inner_tolerance_ = settings_.inner_tolerance;
  state_ = std::move(risen);
}

OuterLoop::Stop OuterLoop::end_of_step(const OuterState& candidate, double gap, bool is_risen) const {
  if (!is_finite(candidate)) return StopReason::nonfinite;
  const StopReason inner = candidate.inner.stop_reason;
  if (is_stop_request(inner)) return inner;
  if (const Stop stop = history_.stop_request()) return stop;
  const bool is_closed = gap <= settings_.tolerance * std::abs(candidate.primal());
  const bool stands = is_risen && !keeps_last_;  // the coupling that had this gap is gone
  if (is_closed && candidate.is_tight && !stands) return StopReason::converged;
  if (is_closed && inner == StopReason::max_iterations) return StopReason::inner_max_iterations;
  if (is_closed && inner == StopReason::stagnated) return inner;
  if (is_risen && cost_->is_concave() && state_.is_tight && candidate.is_tight) return StopReason::non_monotone;
  return {};
}

OuterLoop::Stop OuterLoop::shorten() {
  if (cost_->is_concave()) return {};  // a linear problem was not solved well enough
  step_ /= 2.0;
  if (step_ < shortest_step) return StopReason::stagnated;
  return {};
}

void OuterLoop::lengthen() { step_ = std::min(1.0, 2.0 * step_); }

void OuterLoop::record(const OuterState& state, double gap, double change, bool is_accepted) {
  GromovRecord step;
  step.level = level_;
  step.primal = state.primal();
  step.gap = gap;
  step.step = step_;
  step.change = change;
  step.is_accepted = is_accepted;
  history_.record(step, state.inner, state.at);
}

}  // namespace thalweg
