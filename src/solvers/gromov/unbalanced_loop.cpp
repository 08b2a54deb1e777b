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
constexpr double distance_tolerance = 1e-6;  // of |P - G|_1, in units of the mass
constexpr double collapsed_share = 1e-3;     // of the smaller mass of both sides

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
      cost_(make_quadratic_cost(context, problem)),
      product_(problem.a, problem.b),
      inner_tolerance_(std::max(settings.inner_tolerance, first_inner_tolerance)) {
  if (!(problem.rho_1 > 0.0 && problem.rho_2 > 0.0) || std::isinf(problem.rho_1) || std::isinf(problem.rho_2))
    throw DataError("rho_1 = " + shortest_number(problem.rho_1) + ", rho_2 = " + shortest_number(problem.rho_2) +
                    "; the prices of both marginals are finite and greater than 0");
}

void UnbalancedLoop::watch(const GromovObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

GromovSolution UnbalancedLoop::solve() {
  double epsilon = std::max(settings_.epsilon_start.value_or(problem_.epsilon), problem_.epsilon);
  state_ = first();
  for (std::int64_t outer = 0; outer < settings_.max_outer;) {
    UnbalancedState next = after(state_, epsilon);
    const bool is_final = epsilon == problem_.epsilon, has_gap = is_final && state_.inner.epsilon == epsilon;
    const double gap = has_gap ? gap_of(state_, next) : unknown;
    const double change = cost_->relative_change(scaled(next.linear, state_.inner.mass), next.at.linear);
    record(next, gap, change);
    const Stop stop = end_of_step(state_, next, gap);
    if (has_gap) result_.gap = gap;
    const bool is_closed = has_gap && gap <= settings_.tolerance * std::abs(next.primal);
    inner_tolerance_ = is_closed ? settings_.inner_tolerance
                                 : std::max(settings_.inner_tolerance, std::min(inner_tolerance_, share_of_change * change));
    state_ = std::move(next);
    if (stop) return result(*stop);
    if (is_final) ++outer;
    else ++level_;
    epsilon = std::max(problem_.epsilon, epsilon * settings_.epsilon_decay);
  }
  return result(StopReason::max_iterations);
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

UnbalancedState UnbalancedLoop::after(const UnbalancedState& before, double epsilon) {
  const double w = before.inner.mass, rho = problem_.rho_1 + problem_.rho_2;
  const double constant = epsilon * before.joint + problem_.rho_1 * before.rows + problem_.rho_2 * before.columns;
  UnbalancedState state;
  state.linear = scaled(before.at.linear, 1.0 / w);
  state.geometry = cost_->geometry_of(state.linear);
  state.inner = solve_linear(*state.geometry, epsilon, before.inner.g);
  result_.evaluations += state.inner.evaluations;
  state.is_tight = state.inner.stop_reason == StopReason::converged && inner_tolerance_ <= settings_.inner_tolerance;
  const double shift = -constant / (w * (epsilon + rho));
  state.least = bound_of(state.inner, shift);
  scale_coupling(state.inner, std::exp(shift));
  scale_coupling(state.inner, std::sqrt(w / state.inner.mass));
  state.at = cost_->at(state.linear, *state.geometry, state.inner);
  add_terms(state);
  return state;
}

SinkhornSolution UnbalancedLoop::solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g) const {
  SinkhornProblem inner;
  inner.geometry = &geometry;
  inner.a = problem_.a;
  inner.b = problem_.b;
  inner.epsilon = epsilon;
  inner.lambda1 = problem_.rho_1;
  inner.lambda2 = problem_.rho_2;
  inner.initial_g = std::move(g);
  SinkhornSettings how;
  how.tolerance = inner_tolerance_;
  how.max_iterations = settings_.inner_iterations;
  how.certify = false;
  return solve_sinkhorn(context_, inner, how, {}, stop_check_);
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
  const double constant = epsilon * state.joint + problem_.rho_1 * state.rows + problem_.rho_2 * state.columns;
  const double value = state.at.value / w + constant + epsilon * (state.joint - w + a * b) +
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
    const std::vector<double> x = p.geometry->coupling_rows(block, std::span(p.inner.f).subspan(first, count), p.inner.g);
    const std::vector<double> y = q.geometry->coupling_rows(block, std::span(q.inner.f).subspan(first, count), q.inner.g);
    const std::size_t m = x.size() / count;
    for (std::size_t k = 0; k < x.size(); ++k) sums[first + k / m] += std::abs(x[k] - y[k]);
  }
  return ordered_sum(context_.comm, sums);
}

UnbalancedLoop::Stop UnbalancedLoop::end_of_step(const UnbalancedState& before, const UnbalancedState& after,
                                                 double gap) const {
  if (!std::isfinite(after.primal) || !std::isfinite(after.least)) return StopReason::nonfinite;
  const StopReason inner = after.inner.stop_reason;
  if (inner == StopReason::interrupted || inner == StopReason::time_limit) return inner;
  if (const Stop stop = shared_stop(context_.comm, stop_check_ ? stop_check_() : std::nullopt)) return stop;
  if (!(gap <= settings_.tolerance * std::abs(after.primal))) return {};
  if (distance_between(before, after) > distance_tolerance * after.inner.mass) return {};
  if (after.is_tight) return StopReason::converged;
  if (inner == StopReason::max_iterations) return StopReason::inner_max_iterations;
  if (inner == StopReason::stagnated) return inner;
  return {};
}

void UnbalancedLoop::record(const UnbalancedState& state, double gap, double change) {
  GromovRecord entry;
  entry.level = level_;
  entry.outer = ++result_.outer;
  entry.inner = state.inner.evaluations;
  entry.epsilon = state.inner.epsilon;
  entry.energy = state.at.energy;
  entry.energy_gw = state.at.energy_gw;
  entry.energy_linear = state.at.energy_linear;
  entry.primal = state.primal;
  entry.relative_entropy = state.inner.relative_entropy;
  entry.gap = gap;
  entry.change = change;
  entry.error_target = state.inner.error_target;
  entry.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  result_.history.push_back(entry);
  if (observer_) observer_(entry);
}

GromovSolution UnbalancedLoop::result(StopReason reason) {
  result_.history.back().stop_reason = reason;
  result_.stop_reason = reason;
  result_.energy = state_.at.energy;
  result_.energy_gw = state_.at.energy_gw;
  result_.energy_linear = state_.at.energy_linear;
  result_.alpha = problem_.alpha;
  result_.epsilon = problem_.epsilon;
  result_.units = cost_->units();
  result_.primal = state_.primal;
  result_.coupling = std::move(state_.inner);
  result_.geometry = std::move(state_.geometry);
  result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  return std::move(result_);
}

}  // namespace thalweg
