#include "solvers/gromov/outer_loop.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

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
      cost_(make_quadratic_cost(context, problem)),
      inner_tolerance_(std::max(settings.inner_tolerance, first_inner_tolerance)) {}

void OuterLoop::watch(const GromovObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

GromovSolution OuterLoop::solve() {
  is_restored_ = restore();
  Stop stop = at_.ended;
  if (!stop && (!is_restored_ || at_.is_annealing)) stop = anneal();
  if (!stop) stop = descend();
  if (settings_.keeps_end && !at_.ended) keep_end(*stop);
  end_history(*stop);
  result_.stop_reason = *stop;
  result_.energy = state_.at.energy;
  result_.energy_gw = state_.at.energy_gw;
  result_.energy_linear = state_.at.energy_linear;
  result_.alpha = problem_.alpha;
  result_.epsilon = problem_.epsilon;
  result_.units = cost_->units();
  result_.primal = state_.primal();
  result_.coupling = std::move(state_.inner);
  result_.geometry = std::move(state_.geometry);
  if (settings_.keep_linear) result_.linear = std::move(state_.at.linear);
  result_.seconds = seconds();
  return std::move(result_);
}

LinearCost OuterLoop::first_linear() const {
  if (const auto* coupling = std::get_if<CellCoupling>(&settings_.start)) return cost_->at_coupling(*coupling);
  if (const auto* linear = std::get_if<LinearCost>(&settings_.start)) return *linear;
  return cost_->at_product();
}

/// From the start: one full step at every epsilon above the final one, then one at that. Proximal steps begin there.
OuterLoop::Stop OuterLoop::anneal() {
  double epsilon = std::max(settings_.epsilon_start.value_or(problem_.epsilon), problem_.epsilon);
  if (is_proximal()) epsilon = problem_.epsilon;
  OuterFirst first;
  if (std::exchange(is_restored_, false)) {
    first = std::move(first_);
    epsilon = at_.epsilon;
  } else {
    first.linear = first_linear();
  }
  LinearCost linear = std::move(first.linear);
  std::vector<double> g = std::move(first.g);
  while (true) {
    begin_step(0, epsilon);
    std::vector<double> g_before = g;
    OuterState next = solved(std::move(linear), epsilon, std::move(g));
    if (is_proximal()) set_prices(next.inner.g, next);
    const double change = cost_->relative_change(next.linear, next.at.linear);
    inner_tolerance_ = std::max(settings_.inner_tolerance, share_of_change * change);
    state_ = std::move(next);
    record(state_, unknown, change, true);
    if (!is_finite(state_)) return StopReason::nonfinite;
    if (const Stop stop = keep(state_, g_before)) return stop;
    if (epsilon == problem_.epsilon) return {};
    linear = state_.at.linear;
    g = state_.inner.g;
    epsilon = std::max(problem_.epsilon, epsilon * settings_.epsilon_decay);
    ++level_;
  }
}

/// K <- (1 - t) K + t K(P) and P anew, until the gap is closed.
OuterLoop::Stop OuterLoop::descend() {
  const bool goes_on_there = std::exchange(is_restored_, false);
  bool tightens = goes_on_there && at_.is_tightening;
  at_.is_annealing = false;
  for (std::int64_t outer = goes_on_there ? at_.outer_at_end : 0; outer < settings_.max_outer; ++outer) {
    begin_step(outer, problem_.epsilon);
    if (std::exchange(tightens, false)) {
      if (const Stop stop = tighten()) return stop;
      begin_step(outer, problem_.epsilon);
    }
    if (since_full_ >= measure_every) step_ = 1.0;
    const bool is_full = step_ == 1.0;
    since_full_ = is_full ? 0 : since_full_ + 1;
    OuterState candidate = solved(next_linear(), problem_.epsilon, next_potentials());
    if (is_proximal()) set_prices(prices_of(candidate), candidate);
    const double gap = is_full ? gap_of(state_, candidate) : unknown;
    const bool risen = is_risen(candidate);
    const double change = change_of(candidate);
    record(candidate, gap, change, !risen);
    if (is_full) result_.gap = gap;
    Stop stop = keep(candidate, first_.g);
    if (!stop) stop = end_of_step(candidate, gap, risen);
    const bool goes_on = !stop || *stop == StopReason::converged;
    if (risen && goes_on && state_.tolerance > settings_.inner_tolerance) {
      tightens = true;
      continue;
    }
    if (risen) {
      if (stop) return stop;
      if (const Stop too_short = shorten()) return too_short;
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
  begin_step(settings_.max_outer, problem_.epsilon);
  if (state_.tolerance > settings_.inner_tolerance)  // F of a loose linear problem may be too small
    if (const Stop stop = tighten()) return stop;
  return StopReason::max_iterations;
}

/// The solution of a linear problem, to the present inner tolerance, and E about it.
OuterState OuterLoop::solved(LinearCost linear, double epsilon, std::vector<double> g) {
  OuterState state;
  state.linear = std::move(linear);
  state.geometry = cost_->geometry_of(state.linear);
  state.is_proximal = is_proximal();
  state.inner = solve_linear(*state.geometry, epsilon, std::move(g));
  result_.evaluations += state.inner.evaluations;
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
  return solve_sinkhorn(context_, inner, how, {}, stop_check_);
}

/// (1 - t) K + t K(P); proximal: K + t K(P), as log P = log a b - (sum of t K(P) of all steps) / epsilon + f and g
/// terms.
LinearCost OuterLoop::next_linear() const {
  if (is_proximal()) return added(state_.linear, state_.at.linear, step_);
  return step_ == 1.0 ? state_.at.linear : mixed(state_.linear, state_.at.linear, step_);
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
OuterLoop::Stop OuterLoop::tighten() {
  at_.is_tightening = true;
  state_.geometry.reset();  // stored costs are large: no more of them than in any other step
  state_.at = {};
  const double tolerance_before = std::exchange(inner_tolerance_, settings_.inner_tolerance);
  OuterState before;
  before.inner = state_.inner;
  before.prices = state_.prices;
  before.tolerance = state_.tolerance;
  before.is_proximal = state_.is_proximal;
  state_ = solved(std::move(state_.linear), problem_.epsilon, state_.inner.g);
  if (is_proximal()) set_prices(before.prices, state_);
  if (!is_stop_request(state_.inner.stop_reason)) return {};
  before.linear = state_.linear;
  std::swap(before, state_);  // what is saved; at_ has the inner tolerance of the beginning
  inner_tolerance_ = tolerance_before;
  const Stop stop = keep(before, first_.g);
  std::swap(before, state_);
  return stop;
}

OuterLoop::Stop OuterLoop::end_of_step(const OuterState& candidate, double gap, bool is_risen) const {
  if (!is_finite(candidate)) return StopReason::nonfinite;
  const StopReason inner = candidate.inner.stop_reason;
  const bool is_closed = gap <= settings_.tolerance * std::abs(candidate.primal());
  if (is_closed && candidate.is_tight) return StopReason::converged;
  if (is_closed && inner == StopReason::max_iterations) return StopReason::inner_max_iterations;
  if (is_closed && inner == StopReason::stagnated) return inner;
  if (is_risen && cost_->is_concave() && state_.is_tight && candidate.is_tight) return StopReason::non_monotone;
  return {};
}

/// Saves the beginning of the step where that is due; the reason of any rank that was told to stop.
/// @param state   at the end of the step @param g   at the beginning of a step of the annealing
OuterLoop::Stop OuterLoop::keep(const OuterState& state, std::vector<double>& g) {
  if (!is_finite(state) && !is_stop_request(state.inner.stop_reason)) return {};
  StepRequest request;
  if (is_stop_request(state.inner.stop_reason)) request.stop = state.inner.stop_reason;
  else request = shared_request(context_.comm, stop_check_ ? stop_check_() : std::nullopt, settings_.checkpoint);
  if (request.wants_state()) save(request.stop.has_value(), g);
  return request.stop;
}

void OuterLoop::save(bool is_stopping, std::vector<double>& g) {
  if (settings_.checkpoint == nullptr) return;
  const char* stage = at_.ended ? "end" : at_.is_annealing ? "annealing" : "final epsilon";
  settings_.checkpoint->save(stage, is_stopping, [&](StateVisitor& v) { visit_state(v, state_.linear, g); });
}

/// Of a solve that took long enough.
void OuterLoop::keep_end(StopReason reason) {
  if (settings_.checkpoint == nullptr || is_stop_request(reason)) return;
  if (!shared_request(context_.comm, {}, settings_.checkpoint, /*at_boundary=*/true).is_save_due) return;
  begin_step(at_.outer_at_end, problem_.epsilon);
  at_.is_annealing = false;
  at_.ended = reason;
  save(/*is_stopping=*/false, first_.g);
}

/// Everything as it is now belongs to the beginning of a step.
void OuterLoop::begin_step(std::int64_t outer_at_end, double epsilon) {
  at_.outer_at_end = outer_at_end;
  at_.epsilon = epsilon;
  at_.is_tightening = false;
  at_.level = level_;
  at_.step = step_;
  at_.since_full = since_full_;
  at_.inner_tolerance = inner_tolerance_;
  at_.gap = result_.gap;
  at_.outer = result_.outer;
  at_.evaluations = result_.evaluations;
  at_.seconds = seconds();
  at_.history = result_.history;
}

bool OuterLoop::restore() {
  if (settings_.checkpoint == nullptr || !settings_.checkpoint->restore([this](StateVisitor& v) { visit_state(v, first_.linear, first_.g); })) return false;
  level_ = at_.level;
  step_ = at_.step;
  since_full_ = at_.since_full;
  inner_tolerance_ = at_.inner_tolerance;
  result_.gap = at_.gap;
  result_.outer = at_.outer;
  result_.evaluations = at_.evaluations;
  result_.history = at_.history;
  begin_ -= std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(at_.seconds));
  if (at_.is_annealing) return true;
  state_.geometry = cost_->geometry_of(state_.linear);
  state_.geometry->set_reference(state_.inner.log_alpha, state_.inner.log_beta);
  state_.geometry->set_epsilon(state_.inner.epsilon);
  return true;
}

/// @param linear, g   of a step of the annealing
void OuterLoop::visit_state(StateVisitor& v, LinearCost& linear, std::vector<double>& g) {
  const RowRange rows = own_points(static_cast<std::int64_t>(problem_.a.size()), context_.comm);
  const std::int64_t columns = std::holds_alternative<StoredIntraCosts>(problem_.source) ? static_cast<std::int64_t>(problem_.b.size()) : 0;
  v.part("position", [&] { at_.visit_state(v); });
  if (at_.is_annealing) {
    v.part("linear", [&] { visit_linear(v, rows, columns, linear); });
    return v.replicated("g", g);
  }
  v.part("linear", [&] { visit_linear(v, rows, columns, state_.linear); });
  v.part("next_linear", [&] { visit_linear(v, rows, columns, state_.at.linear); });
  v.part("inner", [&] { visit_solution(v, rows, state_.inner); });
  v.scalar("difference", state_.at.difference);
  v.scalar("value", state_.at.value);
  v.scalar("energy", state_.at.energy);
  v.scalar("energy_gw", state_.at.energy_gw);
  v.scalar("energy_linear", state_.at.energy_linear);
  v.scalar("tolerance", state_.tolerance);
  v.scalar("is_tight", state_.is_tight);
  v.scalar("is_proximal", state_.is_proximal);
  v.replicated("prices", state_.prices);
  v.scalar("correction", state_.correction);
}

double OuterLoop::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

OuterLoop::Stop OuterLoop::shorten() {
  if (cost_->is_concave()) return {};  // a linear problem was not solved well enough
  step_ /= 2.0;
  if (step_ < shortest_step) return StopReason::stagnated;
  return {};
}

void OuterLoop::lengthen() { step_ = std::min(1.0, 2.0 * step_); }

void OuterLoop::record(const OuterState& state, double gap, double change, bool is_accepted) {
  GromovRecord entry;
  entry.level = level_;
  entry.outer = ++result_.outer;
  entry.inner = state.inner.evaluations;
  entry.epsilon = state.inner.epsilon;
  entry.energy = state.at.energy;
  entry.energy_gw = state.at.energy_gw;
  entry.energy_linear = state.at.energy_linear;
  entry.primal = state.primal();
  entry.relative_entropy = state.inner.relative_entropy;
  entry.gap = gap;
  entry.step = step_;
  entry.change = change;
  entry.error_target = state.inner.error_target;
  entry.is_accepted = is_accepted;
  entry.seconds = seconds();
  result_.history.push_back(entry);
  if (observer_) observer_(entry);
}

void OuterLoop::end_history(StopReason reason) { result_.history.back().stop_reason = reason; }

}  // namespace thalweg
