#include "solvers/sinkhorn/run.hpp"

#include <algorithm>
#include <cmath>

#include "solvers/sinkhorn/annealing.hpp"
#include "solvers/sinkhorn/bounds.hpp"
#include "solvers/sinkhorn/rounding.hpp"

namespace thalweg {

namespace {

constexpr double nothing_moves = 1e-12;      // residual of a g that solves every epsilon
constexpr double probe_error = 1e-5;         // where the rounding of float32 is measured
constexpr double allowed_rounding = 0.5;     // of the tolerance
constexpr double bad_start_error = 0.5;
constexpr std::int64_t bad_start_after = 3;
constexpr double least_progress = 0.9;       // of the error; or a rise of D of
constexpr double least_rise = 1e-8;
constexpr std::int64_t stagnation_patience = 200;

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

SinkhornRun::SinkhornRun(const Context& context, const SinkhornProblem& problem, const PreparedTransport& transport,
                         const SinkhornSettings& settings)
    : context_(context), problem_(problem), transport_(transport), settings_(settings), geometry_(problem.geometry),
      is_float64_(context.precision == Precision::float64), may_anneal_again_(!problem.initial_g.empty()),
      mean_cost_(problem.geometry->cost_statistic(CostStatistic::mean) / problem.geometry->scale()) {
  check_small_epsilon(transport.epsilon, mean_cost_);
  if (is_too_small_for_float32(transport.epsilon, mean_cost_)) continue_in_float64();
}

void SinkhornRun::watch(const SinkhornObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

std::optional<Iterate> SinkhornRun::solve(SinkhornSolution& solution) {
  const std::int64_t bytes_before = context_.comm.bytes_sent();
  begin();
  Stop stop;
  while (!stop) stop = is_annealing_ ? anneal() : iterate();
  const bool goes_on_later = is_stop_request(*stop) && settings_.checkpoint != nullptr && !settings_.solves_stopped;
  // Without an iterate at the final epsilon the last image is the best there is.
  if (!goes_on_later && !confirmed_) confirmed_ = evaluate_exact(best_g_.empty() ? point_.g : best_g_, f_);
  enter_epsilon(transport_, transport_.epsilon, *problem_.geometry);  // a stop may have come at another one
  solution = std::move(counters_);
  solution.needs_float64 = is_float64_;
  solution.stop_reason = goes_on_later || confirmed_->is_finite() ? *stop : StopReason::nonfinite;
  solution.bytes_sent = context_.comm.bytes_sent() - bytes_before;
  solution.seconds = seconds();
  return goes_on_later ? std::nullopt : std::move(confirmed_);
}

/// From the state of an earlier run, a warm start, or a large epsilon.
void SinkhornRun::begin() {
  if (settings_.checkpoint != nullptr && settings_.checkpoint->restore([this](StateVisitor& v) { visit_state(v); })) return;
  point_.g = problem_.initial_g;
  if (point_.g.empty()) begin_annealing();
}

void SinkhornRun::begin_annealing() {
  point_ = {std::vector<double>(transport_.target.weights.size(), 0.0)};
  is_annealing_ = true;
  level_ = anneal_step_ = 0;
}

/// A few plain evaluations at every epsilon above the final one; potentials stay in units of the cost.
SinkhornRun::Stop SinkhornRun::anneal() {
  const std::vector<double> levels = annealing_levels(settings_, transport_.epsilon, mean_cost_);
  const auto num_levels = static_cast<std::int64_t>(levels.size());
  bool is_entered = false;  // a level that an earlier run began
  while (level_ < num_levels) {
    const double epsilon = levels[static_cast<std::size_t>(level_)];
    if (anneal_step_ == 0 || !is_entered) enter(epsilon);
    is_entered = true;
    const Iterate now = evaluate();
    const StepRequest asked = request();
    const Stop stop = asked.stop ? Stop{} : limit(now);
    record(now, stop);
    if (stop) return stop;
    point_ = {geometry_->representable(now.image)};
    if (++anneal_step_ == settings_.anneal_steps) {
      anneal_step_ = 0;
      ++level_;
    }
    if (now.residual <= nothing_moves) level_ = num_levels;
    is_annealing_ = level_ < num_levels;
    if (const Stop wanted = keep(asked)) return wanted;
  }
  is_annealing_ = false;
  return {};
}

/// Steps at the final epsilon until a reason to stop, or to begin anew: from an annealed start, or in float64.
SinkhornRun::Stop SinkhornRun::iterate() {
  enter(transport_.epsilon);
  if (!accelerator_) {
    accelerator_ = make_accelerator(settings_, transport_.target.weights, transport_.epsilon);
    best_g_.clear();
    first_evaluation_ = stagnation_evaluation_ = counters_.evaluations;
  }
  while (true) {
    PairGeometry* const geometry_before = geometry_;
    const Iterate now = evaluate();
    keep_best(now);
    StepRequest asked;
    if (is_check_due()) {
      Stop stop = end_of_solve(now);
      if (!stop) asked = request();
      if (!stop && !asked.stop) stop = limit(now);
      record(now, stop);
      if (stop) return stop;
    }
    if (geometry_ != geometry_before || anneals_again(now)) accelerator_.reset();
    else if (!advance(now)) return StopReason::nonfinite;
    if (const Stop wanted = keep(asked)) return wanted;
    if (!accelerator_) return {};
  }
}

/// From a start that was no help.
bool SinkhornRun::anneals_again(const Iterate& now) {
  if (!may_anneal_again_ || counters_.evaluations - first_evaluation_ != bad_start_after) return false;
  may_anneal_again_ = false;
  if (now.error <= bad_start_error) return false;
  begin_annealing();
  return true;
}

/// To the next point. @return false where that is not finite
bool SinkhornRun::advance(const Iterate& now) {
  point_ = accelerator_->next(now);
  if (point_.is_restart) ++counters_.restarts;
  if (!all_finite(point_.g)) return false;
  point_.g = geometry_->representable(point_.g);
  return true;
}

bool SinkhornRun::is_check_due() const {
  return counters_.evaluations >= settings_.max_iterations || (counters_.evaluations - first_evaluation_) % settings_.check_every == 0;
}

/// Converged, or stagnated in float64. In float32 either may instead be the moment to go on in float64.
SinkhornRun::Stop SinkhornRun::end_of_solve(const Iterate& now) {
  if (is_within_tolerance(now)) {
    if (const Stop stop = confirm(now)) return stop;
    if (!is_float64_) continue_in_float64();
    return {};
  }
  if (!is_float64_ && !is_probed_ && now.error <= probe_error) {
    is_probed_ = true;
    const double rounding = rounding_of_sums(context_.comm, transport_, *geometry_, exact_geometry(), now);
    if (!(rounding <= allowed_rounding * settings_.tolerance)) continue_in_float64();
    return {};
  }
  if (!is_stagnant()) return {};
  if (is_float64_) return StopReason::stagnated;
  continue_in_float64();
  return {};
}

SinkhornRun::Stop SinkhornRun::limit(const Iterate& now) const {
  if (!now.is_finite() && !point_.is_accelerated) return StopReason::nonfinite;
  if (counters_.evaluations >= settings_.max_iterations) return StopReason::max_iterations;
  return {};
}

/// Of any rank.
StepRequest SinkhornRun::request() const {
  return shared_request(context_.comm, stop_check_ ? stop_check_() : std::nullopt, settings_.checkpoint);
}

SinkhornRun::Stop SinkhornRun::keep(const StepRequest& request) {
  if (settings_.checkpoint != nullptr && request.wants_state())
    settings_.checkpoint->save(is_annealing_ ? "annealing" : "final epsilon", request.stop.has_value(), [this](StateVisitor& v) { visit_state(v); });
  if (request.stop) counters_.history.back().stop_reason = request.stop;
  return request.stop;
}

void SinkhornRun::enter(double epsilon) { enter_epsilon(transport_, epsilon, *geometry_); }

Iterate SinkhornRun::evaluate() {
  Iterate now = SinkhornMap(context_.comm, transport_, *geometry_).at(point_.g, f_);
  f_ = now.f;
  ++counters_.evaluations;
  counters_.evaluations_float64 += is_float64_;
  counters_.fallback_tiles += now.fallback_tiles;
  return now;
}

Iterate SinkhornRun::evaluate_exact(const std::vector<double>& g, std::span<const double> f_before) {
  ++counters_.evaluations;
  ++counters_.evaluations_float64;
  return SinkhornMap(context_.comm, transport_, exact_geometry()).at_pair(g, f_before);
}

PairGeometry& SinkhornRun::exact_geometry() {
  if (context_.precision == Precision::float32 && !exact_) exact_ = problem_.geometry->in_float64();
  PairGeometry& geometry = exact_ ? *exact_ : *problem_.geometry;
  if (geometry.epsilon() != transport_.epsilon) enter_epsilon(transport_, transport_.epsilon, geometry);
  return geometry;
}

void SinkhornRun::continue_in_float64() {
  if (context_.precision == Precision::float64) return;
  geometry_ = &exact_geometry();
  is_float64_ = true;
  if (!best_g_.empty()) point_ = {best_g_};
}

void SinkhornRun::record(const Iterate& now, Stop stop) {
  SinkhornRecord entry;
  entry.level = level_;
  entry.evaluation = counters_.evaluations;
  entry.epsilon = geometry_->epsilon();
  entry.error = now.error;
  entry.residual = now.residual;
  entry.dual = now.dual;
  entry.is_accelerated = point_.is_accelerated;
  entry.is_restart = point_.is_restart;
  entry.mode = is_float64_ ? "float64" : "float32";
  entry.seconds = seconds();
  entry.stop_reason = stop;
  counters_.history.push_back(entry);
  if (observer_) observer_(entry);
}

double SinkhornRun::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void SinkhornRun::keep_best(const Iterate& now) {
  if (!now.is_finite()) return;
  const bool is_first = best_g_.empty();
  if (is_first || now.error < best_error_) {
    best_g_ = now.g;
    best_error_ = now.error;
  }
  const bool has_fallen = now.error <= least_progress * stagnation_error_;
  const bool has_risen = now.dual > stagnation_dual_ + least_rise * std::abs(now.dual);
  if (is_first || has_fallen || has_risen) {
    stagnation_error_ = is_first ? now.error : std::min(stagnation_error_, now.error);
    stagnation_dual_ = is_first ? now.dual : std::max(stagnation_dual_, now.dual);
    stagnation_evaluation_ = counters_.evaluations;
  }
}

bool SinkhornRun::is_stagnant() const { return counters_.evaluations - stagnation_evaluation_ >= stagnation_patience; }

bool SinkhornRun::is_within_tolerance(const Iterate& now) const {
  if (!now.is_finite() || now.error > settings_.tolerance) return false;
  return transport_.target.is_exact() || now.relative_gap <= settings_.gap_tolerance;
}

/// Converged if float64 says so too.
SinkhornRun::Stop SinkhornRun::confirm(const Iterate& now) {
  Iterate exact = is_float64_ && !transport_.is_symmetric ? now : evaluate_exact(now.g, now.f);
  if (!is_within_tolerance(exact) || !is_gap_closed(exact)) return {};
  confirmed_ = std::move(exact);
  return StopReason::converged;
}

/// Where only the source is relaxed the gap needs a coupling with exact columns.
bool SinkhornRun::is_gap_closed(const Iterate& exact) {
  if (transport_.source.is_exact() || !transport_.target.is_exact()) return true;
  const Bounds bounds = bounds_with_exact_columns(context_.comm, transport_, exact, exact_geometry());
  return std::isfinite(bounds.upper) && bounds.upper - bounds.dual <= settings_.gap_tolerance * std::max(std::abs(bounds.upper), std::abs(bounds.dual));
}

}  // namespace thalweg
