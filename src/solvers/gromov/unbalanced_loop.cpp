#include "solvers/gromov/unbalanced_loop.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

constexpr double share_of_change = 0.1;  // inner tolerance, of the last change of the linear cost
constexpr double first_inner_tolerance = 1e-2;
constexpr double distance_float64 = 1e-6, distance_float32 = 1e-5;  // of |P - G|_1, in units of the mass
constexpr double rounding_of_costs = 1e-6;                          // in float32, of costs about 1; over epsilon in P
constexpr double shortest_step = 1.0 / 1024.0;
constexpr std::int64_t measure_every = 5;                    // steps of t < 1 between those that measure the gap
constexpr double rise_float64 = 1e-12, rise_float32 = 1e-6;  // of |F|: rounding
constexpr double rounding_of_prices = 1e-14;                 // of rho |a|^2 and the like, from which F is summed
constexpr double vanished_share = 1e-8;   // of the mass of a b^T / (|a| |b|)^(1/2): P = 0 is the minimum nearby
constexpr double collapsed_share = 1e-3;  // of the smaller mass of both sides

double entropy_term(double value, double reference) { return value > 0.0 ? value * std::log(value / reference) : 0.0; }

/// KL(u (x) u | v (x) v) of S(u|v) and the masses of both.
double squared_divergence(double sum, double mass, double reference_mass) {
  return 2.0 * mass * sum - mass * mass + reference_mass * reference_mass;
}

/// The same coupling times a factor.
void scale_coupling(SinkhornSolution& inner, double factor) {
  const double shift = inner.epsilon * std::log(factor);
  for (double& value : inner.f) value += shift;
  for (double& value : inner.row_sums) value *= factor;
  for (double& value : inner.column_sums) value *= factor;
  inner.mass *= factor;
}

}  // namespace

UnbalancedLoop::UnbalancedLoop(const Context& context, const GromovProblem& problem, const GromovSettings& settings)
    : context_(context),
      problem_(problem),
      settings_(settings),
      history_(context_.comm, problem, settings.checkpoint),
      cost_(make_quadratic_cost(context, problem)),
      product_(problem.a, problem.b),
      distance_tolerance_(context.precision == Precision::float64
                              ? distance_float64
                              : std::max(distance_float32, rounding_of_costs / problem.epsilon)),
      final_tolerance_(
          std::min(settings.inner_tolerance, share_of_change * std::min(distance_tolerance_, distance_float32))) {
  if (!(problem.rho_1 > 0.0 && problem.rho_2 > 0.0) || std::isinf(problem.rho_1) || std::isinf(problem.rho_2))
    throw DataError("rho_1 = " + shortest_number(problem.rho_1) + ", rho_2 = " + shortest_number(problem.rho_2) +
                    "; the prices of both marginals are finite and greater than 0");
}

GromovSolution UnbalancedLoop::solve() {
  if (!restore()) begin();
  Stop stop = anneal();
  if (!stop) stop = descend();
  return history_.end(*stop, cost_->units(), state_.primal, state_, false);
}

void UnbalancedLoop::begin() {
  state_ = first();
  now_.epsilon = std::max(settings_.epsilon_start.value_or(problem_.epsilon), problem_.epsilon);
  now_.inner_tolerance = first_inner_tolerance;
}

/// One full step at every epsilon down to the final one.
UnbalancedLoop::Stop UnbalancedLoop::anneal() {
  while (now_.is_annealing) {
    if (const Stop stop = ask()) return stop;
    state_ = after(state_, now_.epsilon, 1.0);
    record(state_, unknown, true);
    tighten(change_of(state_), false);
    if (const Stop stop = interruption(state_)) return stop;
    now_.is_annealing = now_.epsilon > problem_.epsilon;
    if (!now_.is_annealing) break;
    now_.epsilon = std::max(problem_.epsilon, now_.epsilon * settings_.epsilon_decay);
    ++now_.level;
  }
  return {};
}

UnbalancedLoop::Stop UnbalancedLoop::descend() {
  while (now_.outer < settings_.max_outer)
    if (const Stop stop = step()) return stop;
  return StopReason::max_iterations;
}

UnbalancedLoop::Stop UnbalancedLoop::step() {
  if (const Stop stop = ask()) return stop;
  if (now_.since_full >= measure_every) now_.step = 1.0;
  UnbalancedState candidate = after(state_, problem_.epsilon, now_.step);
  const bool is_full = now_.step == 1.0;
  now_.since_full = is_full ? 0 : now_.since_full + 1;
  ++now_.outer;
  const double gap = is_full ? gap_of(state_, candidate) : unknown;
  const bool risen = is_risen(candidate);
  record(candidate, gap, !risen);
  if (is_full) history_.set_gap(gap);
  if (const Stop stop = end_of_step(candidate, gap)) {
    if (!risen) state_ = std::move(candidate);
    return stop;
  }
  const bool was_loose = candidate.tolerance > final_tolerance_;
  tighten(change_of(candidate), (risen && was_loose) || gap <= settings_.tolerance * std::abs(state_.primal));
  if (!risen) {
    state_ = std::move(candidate);
    now_.step = std::min(1.0, 2.0 * now_.step);
  } else if (!was_loose) {
    now_.step /= 2.0;
    if (now_.step < shortest_step) return StopReason::stagnated;
  }
  return {};
}

bool UnbalancedLoop::is_risen(const UnbalancedState& candidate) const {
  const double rounding = context_.precision == Precision::float64 ? rise_float64 : rise_float32;
  const double a = product_.mass_a, b = product_.mass_b;
  const double summed = problem_.rho_1 * a * a + problem_.rho_2 * b * b + problem_.epsilon * a * a * b * b;
  return !(candidate.primal <= state_.primal + rounding * std::abs(state_.primal) + rounding_of_prices * summed);
}

void UnbalancedLoop::tighten(double change, bool is_closed) {
  const double wanted = is_closed ? 0.0 : std::min(now_.inner_tolerance, share_of_change * change);
  now_.inner_tolerance = std::max(final_tolerance_, wanted);
}

/// Of K / w, between the coupling before and this one.
double UnbalancedLoop::change_of(const UnbalancedState& state) const {
  return cost_->relative_change(state.linear, scaled(state.at.linear, 1.0 / state.inner.mass));
}

/// a b^T / (|a| |b|)^(1/2), of which only what the next step needs.
UnbalancedState UnbalancedLoop::first() const {
  UnbalancedState state;
  state.inner.mass = product_.mass;
  state.inner.epsilon = unknown;
  state.at.linear = cost_->at_product();
  state.joint = product_.mass * std::log(product_.factor);
  state.rows = product_.mass * std::log(product_.of_a);
  state.columns = product_.mass * std::log(product_.of_b);
  return state;
}

/// s
double UnbalancedLoop::constant_of(const UnbalancedState& state, double epsilon) const {
  return epsilon * state.joint + problem_.rho_1 * state.rows + problem_.rho_2 * state.columns;
}

UnbalancedState UnbalancedLoop::after(const UnbalancedState& before, double epsilon, double t) {
  const double w = before.inner.mass, prices = epsilon + problem_.rho_1 + problem_.rho_2;
  UnbalancedState state;
  state.linear = scaled(before.at.linear, 1.0 / w);
  state.constant = constant_of(before, epsilon) / w;
  if (t < 1.0) {
    state.linear = mixed(before.linear, state.linear, t);
    state.constant = (1.0 - t) * before.constant + t * state.constant;
  }
  state.geometry = cost_->geometry_of(state.linear);
  state.inner = solve_linear(*state.geometry, epsilon, before.inner.g);
  history_.add_evaluations(state.inner);
  state.tolerance = now_.inner_tolerance;
  state.is_tight = state.inner.stop_reason == StopReason::converged && now_.inner_tolerance <= final_tolerance_;
  const double shift = -state.constant / prices;
  state.least = bound_of(state.inner, shift);
  scale_coupling(state.inner, std::exp(shift));
  if (t == 1.0) {
    const double factor = std::sqrt(w / state.inner.mass);
    scale_coupling(state.inner, factor);
    state.constant -= prices * std::log(factor);
  }
  state.at = cost_->at(state.linear, *state.geometry, state.inner);
  add_terms(state);
  return state;
}

/// Dual value of the linear problem with its constant, from potentials of that without: P and the marginals that the
/// potentials ask for become exp(shift) times theirs.
double UnbalancedLoop::bound_of(const SinkhornSolution& inner, double shift) const {
  const RowRange rows = own_points(static_cast<std::int64_t>(problem_.a.size()), context_.comm);
  std::vector<double> terms(inner.f.size());
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const double weight = problem_.a[static_cast<std::size_t>(rows.begin) + i];
    terms[i] = weight > 0.0 ? -problem_.rho_1 * weight * std::expm1(shift - inner.f[i] / problem_.rho_1) : 0.0;
  }
  double bound = ordered_sum(context_.comm, terms);
  for (std::size_t j = 0; j < inner.g.size(); ++j)
    if (problem_.b[j] > 0.0) bound -= problem_.rho_2 * problem_.b[j] * std::expm1(shift - inner.g[j] / problem_.rho_2);
  return bound - inner.epsilon * (std::exp(shift) * inner.mass - product_.mass_a * product_.mass_b);
}

/// S of all three, s and F.
void UnbalancedLoop::add_terms(UnbalancedState& state) const {
  const SinkhornSolution& inner = state.inner;
  const RowRange rows = state.geometry->rows();
  const RowStatistics statistics = state.geometry->row_statistics(inner.f, inner.g);
  std::vector<double> terms;
  for (std::size_t i = 0; i < inner.row_sums.size(); ++i)
    terms.insert(terms.end(), {statistics.relative_entropy[i],
                               entropy_term(inner.row_sums[i], problem_.a[static_cast<std::size_t>(rows.begin) + i])});
  const std::vector<double> totals = ordered_sums(context_.comm, terms, 2);
  state.joint = totals[0];
  state.rows = totals[1];
  state.columns = 0.0;
  for (std::size_t j = 0; j < inner.column_sums.size(); ++j)
    state.columns += entropy_term(inner.column_sums[j], problem_.b[j]);
  const double w = inner.mass, a = product_.mass_a, b = product_.mass_b;
  state.primal = state.at.energy + 0.5 * problem_.rho_1 * squared_divergence(state.rows, w, a) +
                 0.5 * problem_.rho_2 * squared_divergence(state.columns, w, b) +
                 0.5 * inner.epsilon * squared_divergence(state.joint, w, a * b);
  state.inner.relative_entropy = state.joint - w + a * b;
  state.inner.is_collapsed = w < collapsed_share * std::min(a, b);
}

/// w times the linear problem at G, which its cost is about, less its minimum.
double UnbalancedLoop::gap_of(const UnbalancedState& state, const UnbalancedState& next) const {
  const double w = state.inner.mass, a = product_.mass_a, b = product_.mass_b, epsilon = problem_.epsilon;
  const double value = state.at.value / w + constant_of(state, epsilon) + epsilon * (state.joint - w + a * b) +
                       problem_.rho_1 * (state.rows - w + a) + problem_.rho_2 * (state.columns - w + b);
  return w * (value - next.least);
}

/// |P - Q|_1
double UnbalancedLoop::distance_between(const UnbalancedState& p, const UnbalancedState& q) const {
  const RowRange rows = p.geometry->rows();
  std::vector<double> sums(p.inner.f.size(), 0.0);
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += block_rows) {
    const RowRange block{begin, std::min(rows.end, begin + block_rows)};
    const auto first = static_cast<std::size_t>(begin - rows.begin), count = static_cast<std::size_t>(block.size());
    const std::vector<double> x =
        p.geometry->coupling_rows(block, std::span(p.inner.f).subspan(first, count), p.inner.g);
    const std::vector<double> y =
        q.geometry->coupling_rows(block, std::span(q.inner.f).subspan(first, count), q.inner.g);
    const std::size_t m = x.size() / count;
    for (std::size_t k = 0; k < x.size(); ++k) sums[first + k / m] += std::abs(x[k] - y[k]);
  }
  return ordered_sum(context_.comm, sums);
}

UnbalancedLoop::Stop UnbalancedLoop::interruption(const UnbalancedState& state) const {
  if (!std::isfinite(state.primal) || !std::isfinite(state.least)) return StopReason::nonfinite;
  if (state.inner.mass < vanished_share * product_.mass) return StopReason::collapsed;
  const StopReason inner = state.inner.stop_reason;
  if (is_stop_request(inner)) return inner;
  return {};
}

UnbalancedLoop::Stop UnbalancedLoop::end_of_step(const UnbalancedState& candidate, double gap) const {
  if (const Stop stop = interruption(candidate)) return stop;
  if (!(gap <= settings_.tolerance * std::abs(candidate.primal))) return {};
  if (distance_between(state_, candidate) > distance_tolerance_ * candidate.inner.mass) return {};
  if (candidate.is_tight) return StopReason::converged;
  const StopReason inner = candidate.inner.stop_reason;
  if (inner == StopReason::max_iterations) return StopReason::inner_max_iterations;
  if (inner == StopReason::stagnated) return inner;
  return {};
}

void UnbalancedLoop::record(const UnbalancedState& state, double gap, bool is_accepted) {
  GromovRecord step;
  step.level = now_.level;
  step.primal = state.primal;
  step.gap = gap;
  step.step = now_.step;
  step.change = change_of(state);
  step.is_accepted = is_accepted;
  history_.record(step, state);
}

}  // namespace thalweg
