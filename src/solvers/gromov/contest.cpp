#include "solvers/gromov/contest.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "distributed/error.hpp"
#include "distributed/part_checkpoint.hpp"
#include "solvers/gromov/outer_state.hpp"
#include "solvers/gromov/start_couplings.hpp"

namespace thalweg {

namespace {

constexpr double distinct_overlap = 0.8, close_primal = 0.02;
constexpr double same_primal = 1e-3;  // F of a coupling whose marginals are not met may be too low by some of it
constexpr double held_primal = close_primal + 2.0 * same_primal;  // close to what may yet become the best
constexpr std::size_t most_held = 2;

/// The start of least F; where that did not converge, the converged one whose F is higher by a thousandth at most,
/// if there is one.
std::size_t best_of(const std::vector<StartReport>& starts) {
  std::size_t least = 0;
  for (std::size_t s = 1; s < starts.size(); ++s)
    if (is_less_primal(starts[s].primal, starts[least].primal)) least = s;
  std::size_t best = least;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const bool is_as_good = starts[s].stop_reason == StopReason::converged &&
                            is_close_primal(starts[s].primal, starts[least].primal, same_primal);
    if (!is_as_good) continue;
    if (starts[best].stop_reason != StopReason::converged || is_less_primal(starts[s].primal, starts[best].primal))
      best = s;
  }
  return best;
}

/// Names of starts as numbers: -1 for the given one.
std::int64_t number_of(const std::string& name) {
  if (name == given_start) return -1;
  std::int64_t start = 0;
  while (start_name(start) != name) ++start;
  return start;
}

void visit_report(StateVisitor& v, StartReport& report) {
  std::int64_t number = v.is_restoring() ? 0 : number_of(report.name);
  v.scalar("number", number);
  if (v.is_restoring()) report.name = number < 0 ? given_start : start_name(number);
  v.scalar("anchor_primal", report.anchor_primal);
  v.scalar("is_carried", report.is_carried);
  v.scalar("primal", report.primal);
  v.scalar("energy_gw", report.energy_gw);
  v.scalar("gap", report.gap);
  v.scalar("outer", report.outer);
  v.scalar("evaluations", report.evaluations);
  v.scalar("seconds", report.seconds);
  v.scalar("stop_reason", report.stop_reason);
  visit_history(v, report.history);
}

}  // namespace

bool is_less_primal(double x, double y) { return x < y || (std::isfinite(x) && !std::isfinite(y)); }

bool is_close_primal(double primal, double least, double share) { return primal <= least + share * std::abs(least); }

std::optional<std::size_t> closest_other(const std::vector<StartReport>& starts) {
  const auto best =
      std::find_if(starts.begin(), starts.end(), [](const StartReport& start) { return start.is_chosen; });
  std::optional<std::size_t> carried, stayed;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const StartReport& start = starts[s];
    if (start.is_carried && start.overlap < distinct_overlap &&
        is_close_primal(start.primal, best->primal, close_primal) &&
        (!carried || start.primal < starts[*carried].primal))
      carried = s;
    if (!start.is_carried && start.anchor_overlap < distinct_overlap &&
        is_close_primal(start.anchor_primal, best->anchor_primal, close_primal) &&
        (!stayed || start.anchor_primal < starts[*stayed].anchor_primal))
      stayed = s;
  }
  return carried ? carried : stayed;
}

Contest::Contest(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings)
    : context_(context),
      problem_(problem),
      settings_(settings),
      is_small_(static_cast<std::int64_t>(std::max(problem.a.size(), problem.b.size())) <= settings.anchors) {}

void Contest::watch(const StartObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

bool Contest::has(const std::string& start) const {
  return std::any_of(reports_.begin(), reports_.end(),
                     [&](const StartReport& report) { return report.name == start; });
}

void Contest::enter(StartReport report, const GromovSettings& settings) {
  if (has(report.name)) return;
  ask();
  if (is_stopped() && !kept_.empty()) return;
  drop_others();
  GromovSolution solution = solve(report.name, settings);
  if (observer_) observer_(report.name, solution.history.back());
  report.is_carried = true;
  report.primal = solution.primal;
  report.energy_gw = solution.energy_gw;
  report.gap = solution.gap;
  report.outer += solution.outer;
  report.evaluations += solution.evaluations;
  report.seconds += solution.seconds;
  report.stop_reason = solution.stop_reason;
  report.history = solution.history;
  if (is_stop_request(solution.stop_reason)) {
    stopped_ = solution.stop_reason;
    if (!kept_.empty()) report.primal = StartReport::absent;  // perhaps of a larger epsilon
  }
  add(std::move(report), std::move(solution));
}

/// Between starts: to save what is due, or to stop.
void Contest::ask() {
  if (is_stopped() || !std::exchange(is_asked_, true)) return;
  const StepRequest request = shared_request(context_.comm, stop_check_ ? stop_check_() : std::nullopt,
                                             settings_.checkpoint, /*at_boundary=*/true);
  if (request.wants_state()) save("starts", request.stop.has_value());
  stopped_ = request.stop;
}

void Contest::save(const std::string& stage, bool is_stopping) {
  if (settings_.checkpoint != nullptr) settings_.checkpoint->save(stage, is_stopping, around_);
}

GromovSolution Contest::solve(const std::string& start, const GromovSettings& settings) {
  const auto observe = [&](const GromovRecord& step) {
    if (observer_) observer_(start, step);
  };
  GromovSettings own = settings;
  own.checkpoint = nullptr;
  if (is_stopped()) return solve_gromov(context_, problem_, own, observe, [&] { return stopped_; });
  std::optional<PartCheckpoint> part;
  if (settings_.checkpoint != nullptr)
    own.checkpoint = &part.emplace(*settings_.checkpoint, "start " + start, around_, is_solving_);
  is_solving_ = true;
  GromovSolution solution = solve_gromov(context_, problem_, own, observe, stop_check_);
  is_solving_ = false;
  return solution;
}

void Contest::add(StartReport report, GromovSolution solution) {
  reports_.push_back(std::move(report));
  samples_.emplace_back(context_, solution);
  kept_.push_back({reports_.size() - 1, std::move(solution)});
  sort_kept();
}

void Contest::sort_kept() {
  const std::size_t best = best_of(reports_);
  std::sort(kept_.begin(), kept_.end(), [&](const Kept& x, const Kept& y) {
    if (x.start == best || y.start == best) return x.start == best && y.start != best;
    return is_less_primal(reports_[x.start].primal, reports_[y.start].primal);
  });
}

/// Collective.
double Contest::overlap(std::size_t s, std::size_t t) const { return samples_[s].overlap(context_.comm, samples_[t]); }

/// Those that can neither become the result nor make it doubtful; of many cells also the one too many that repeats the
/// best, or has most F. Collective.
void Contest::drop_others() {
  if (settings_.keeps_others || kept_.empty()) return;
  const std::size_t best = kept_.front().start;
  std::erase_if(kept_, [&](const Kept& kept) {
    return kept.start != best && !is_close_primal(reports_[kept.start].primal, reports_[best].primal, held_primal);
  });
  while (!is_small_ && kept_.size() > most_held) {
    std::size_t dropped = kept_.size() - 1;
    for (std::size_t k = 1; k < kept_.size(); ++k)
      if (!(overlap(kept_[k].start, best) < distinct_overlap)) dropped = k;
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(dropped));
  }
}

void Contest::finish() {
  if (kept_.empty() || !std::isfinite(kept_.front().solution.primal))
    throw NumericalError(
        "no start of the alignment ended in numbers that are finite; check the costs for extreme values, or use "
        "solver.precision = \"float64\" or a larger epsilon");
  const std::size_t best = kept_.front().start;
  reports_[best].is_chosen = true;
  for (std::size_t s = 0; s < reports_.size(); ++s) reports_[s].overlap = overlap(s, best);
  if (settings_.keeps_others) return;
  std::erase_if(kept_, [&](const Kept& kept) {
    const StartReport& report = reports_[kept.start];
    return kept.start != best && !(report.overlap < distinct_overlap &&
                                   is_close_primal(report.primal, reports_[best].primal, close_primal));
  });
  kept_.resize(std::min(kept_.size(), most_held));
}

MultiStartSolution Contest::result() && {
  MultiStartSolution result;
  result.best = std::move(kept_.front().solution);
  if (stopped_) result.best.stop_reason = *stopped_;
  result.best_start = reports_[kept_.front().start].name;
  for (std::size_t k = 1; k < kept_.size(); ++k) {
    const std::string& start = reports_[kept_[k].start].name;
    if (settings_.keeps_others) {
      result.others.emplace_back(start, std::move(kept_[k].solution));
    } else {
      result.other_start = start;
      result.other = std::move(kept_[k].solution);
    }
  }
  result.starts = std::move(reports_);
  return result;
}

void Contest::visit_state(StateVisitor& v) {
  const CouplingShape shape = coupling_shape(context_, problem_);
  std::size_t num_starts = reports_.size(), num_kept = kept_.size();
  v.scalar("num_starts", num_starts);
  reports_.resize(num_starts);
  samples_.resize(num_starts);
  for (std::size_t s = 0; s < num_starts; ++s)
    v.part("start_" + std::to_string(s), [&] {
      visit_report(v, reports_[s]);
      samples_[s].visit_state(v, context_, problem_);
    });
  v.scalar("num_kept", num_kept);
  kept_.resize(num_kept);
  for (std::size_t k = 0; k < num_kept; ++k)
    v.part("kept_" + std::to_string(k), [&] {
      v.scalar("start", kept_[k].start);
      visit_solution(v, shape, kept_[k].solution);
    });
  v.scalar("is_solving", is_solving_);
}

void Contest::rebuild() {
  if (kept_.empty()) return;
  const std::unique_ptr<QuadraticCost> cost = make_quadratic_cost(context_, problem_);
  for (Kept& kept : kept_)
    kept.solution.geometry = geometry_as_left(*cost, kept.solution.generator, kept.solution.coupling);
}

}  // namespace thalweg
