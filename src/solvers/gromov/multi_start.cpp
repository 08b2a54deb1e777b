#include "solvers/gromov/multi_start.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solvers/gromov/anchors.hpp"
#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/start_couplings.hpp"

namespace thalweg {

namespace {

constexpr double same_overlap = 0.9, distinct_overlap = 0.8, close_primal = 0.02;
constexpr double same_primal = 1e-3;  // F of a coupling whose marginals are not met may be too low by some of it
constexpr double hopeless_primal = 0.1;  // above the least on the anchors, relative
constexpr double anchor_tolerance = 1e-4;
constexpr std::int64_t anchor_outer = 50;
constexpr std::uint32_t source_stream = 74, target_stream = 75;

const std::string given_name = "given";

/// A start solved on the anchors; the same on all ranks.
struct AnchorResult {
  double primal = StartReport::absent;
  std::int64_t outer = 0, evaluations = 0;
  double seconds = 0.0;
  StopReason stop_reason = StopReason::converged;
};

double shared_mass(const std::vector<float>& p, const std::vector<float>& q) {
  double sum = 0.0;
  for (std::size_t e = 0; e < p.size(); ++e) sum += static_cast<double>(std::min(p[e], q[e]));
  return sum;
}

/// Before any number that is no value.
bool is_less(double x, double y) { return x < y || (std::isfinite(x) && !std::isfinite(y)); }

bool is_close(double primal, double least, double share) { return primal <= least + share * std::abs(least); }

std::vector<std::int64_t> all_cells(const std::vector<double>& weights) {
  std::vector<std::int64_t> cells(weights.size());
  std::iota(cells.begin(), cells.end(), std::int64_t{0});
  return cells;
}

GromovSettings settings_from(const GromovSettings& settings, const StartCoupling& start, const GromovProblem& problem) {
  GromovSettings own = settings;
  if (start.mass) own.start = CellCoupling{all_cells(problem.a), all_cells(problem.b), *start.mass};
  if (!start.is_annealed) own.epsilon_start.reset();
  return own;
}

/// All starts on a few cells of both sides.
class AnchorRound {
 public:
  AnchorRound(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings)
      : comm_(context.comm),
        own_comm_(make_self_communicator()),
        own_{*own_comm_, context.precision, context.device, context.seed},
        settings_(settings.solve),
        source_(side_of(context, problem.source, problem.a, settings, source_stream)),
        target_(side_of(context, problem.target, problem.b, settings, target_stream)),
        linear_(context.comm, problem, source_.anchors().cells, target_.anchors().cells),
        problem_{source_.costs(),  target_.costs(), source_.anchors().weights, target_.anchors().weights,
                 problem.epsilon, problem.alpha,   linear_.costs(),           problem.normalise},
        results_(static_cast<std::size_t>(settings.starts)),
        couplings_(results_.size()) {
    settings_.tolerance = std::max(settings_.tolerance, anchor_tolerance);
    settings_.inner_tolerance = std::max(settings_.inner_tolerance, anchor_tolerance);
    settings_.max_outer = std::min(settings_.max_outer, anchor_outer);
    settings_.keep_linear = false;
    settings_.algorithm = GromovAlgorithm::mirror;
  }

  /// Start s by rank s mod ranks. Collective.
  void solve(const StopCheck& stop_check) {
    const StartCouplings couplings(*own_comm_, problem_, own_.seed);
    comm_.on_all([&] {
      for (std::size_t s = 0; s < results_.size(); ++s)
        if (owner_of(s) == comm_.rank()) solve_one(s, couplings, stop_check);
    });
    for (std::size_t s = 0; s < results_.size(); ++s) {
      comm_.broadcast(std::as_writable_bytes(std::span(&results_[s], 1)), owner_of(s));
      comm_.broadcast(couplings_[s], owner_of(s));
    }
  }

  const AnchorResult& result(std::size_t s) const { return results_[s]; }
  double overlap(std::size_t s, std::size_t t) const { return shared_mass(couplings_[s], couplings_[t]); }

  /// Starts by F, each with the start of less F that it repeats, or itself.
  std::vector<std::pair<std::size_t, std::size_t>> merged() const {
    std::vector<std::size_t> order(results_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t s, std::size_t t) { return is_less(results_[s].primal, results_[t].primal); });
    std::vector<std::pair<std::size_t, std::size_t>> kept;
    for (const std::size_t s : order) {
      const auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& other) {
        return other.first == other.second && overlap(s, other.first) > same_overlap;
      });
      kept.emplace_back(s, same == kept.end() ? s : same->first);
    }
    return kept;
  }

  CellCoupling coupling(std::size_t s) const {
    Matrix mass(static_cast<std::int64_t>(problem_.a.size()), static_cast<std::int64_t>(problem_.b.size()));
    std::copy(couplings_[s].begin(), couplings_[s].end(), mass.values.begin());
    return {source_.anchors().cells, target_.anchors().cells, std::move(mass)};
  }

 private:
  static AnchorSide side_of(const Context& context, const IntraCosts& costs, const std::vector<double>& weights,
                            const MultiStartSettings& settings, std::uint32_t stream) {
    const IntraRows rows(context.comm, costs);
    const auto choose = settings.choice == AnchorChoice::leading ? leading_anchors : choose_anchors;
    return {context.comm, rows, choose(context.comm, rows, weights, settings.anchors, {context.seed, stream})};
  }

  int owner_of(std::size_t s) const { return static_cast<int>(s) % comm_.size(); }

  void solve_one(std::size_t s, const StartCouplings& couplings, const StopCheck& stop_check) {
    const StartCoupling start = couplings.make(static_cast<std::int64_t>(s));
    const GromovSolution solution =
        solve_gromov(own_, problem_, settings_from(settings_, start, problem_), {}, stop_check);
    results_[s] = {solution.primal, solution.outer, solution.evaluations, solution.seconds, solution.stop_reason};
    const std::vector<double> coupling = coupling_of(solution);
    couplings_[s].assign(coupling.begin(), coupling.end());
  }

  const Communicator& comm_;
  std::unique_ptr<Communicator> own_comm_;
  Context own_;
  GromovSettings settings_;
  AnchorSide source_, target_;
  AnchorLinear linear_;
  GromovProblem problem_;
  std::vector<AnchorResult> results_;
  std::vector<std::vector<float>> couplings_;  // anchors x anchors
};

/// The start of least F; where that did not converge, the converged one whose F is higher by a thousandth at most,
/// if there is one.
std::size_t best_of(const std::vector<StartReport>& starts) {
  std::size_t least = 0;
  for (std::size_t s = 1; s < starts.size(); ++s)
    if (is_less(starts[s].primal, starts[least].primal)) least = s;
  std::size_t best = least;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const bool is_as_good = starts[s].stop_reason == StopReason::converged &&
                            is_close(starts[s].primal, starts[least].primal, same_primal);
    if (!is_as_good) continue;
    if (starts[best].stop_reason != StopReason::converged || is_less(starts[s].primal, starts[best].primal)) best = s;
  }
  return best;
}

/// The coupling of least F among those that are close to the chosen one in F and far from it: on all cells, else on the
/// anchors.
std::optional<std::size_t> closest_other(const std::vector<StartReport>& starts) {
  const auto best =
      std::find_if(starts.begin(), starts.end(), [](const StartReport& start) { return start.is_chosen; });
  std::optional<std::size_t> carried, stayed;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const StartReport& start = starts[s];
    if (start.is_carried && start.overlap < distinct_overlap && is_close(start.primal, best->primal, close_primal) &&
        (!carried || start.primal < starts[*carried].primal))
      carried = s;
    if (!start.is_carried && start.anchor_overlap < distinct_overlap &&
        is_close(start.anchor_primal, best->anchor_primal, close_primal) &&
        (!stayed || start.anchor_primal < starts[*stayed].anchor_primal))
      stayed = s;
  }
  return carried ? carried : stayed;
}

/// Starts solved on all cells; the best so far, and samples of the others.
class Contest {
 public:
  Contest(const Context& context, const GromovProblem& problem, bool keeps_others, const StartObserver& observer,
          const StopCheck& stop_check)
      : context_(context),
        problem_(problem),
        keeps_others_(keeps_others),
        observer_(observer),
        stop_check_(stop_check) {}

  bool is_stopped() const { return stopped_.has_value(); }

  void enter(StartReport report, const GromovSettings& settings) {
    const auto observe = [&](const GromovRecord& step) {
      if (observer_) observer_(report.name, step);
    };
    GromovSolution solution = solve_gromov(context_, problem_, settings, observe, stop_check_);
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
    reports_.push_back(std::move(report));
    samples_.emplace_back(context_, solution);
    kept_.push_back({reports_.size() - 1, std::move(solution)});
    sort_kept();
    if (!keeps_others_) drop_others();
  }

  /// The solution of least F, with its overlaps. Collective.
  MultiStartSolution result() && {
    reports_[kept_.front().start].is_chosen = true;
    for (std::size_t s = 0; s < samples_.size(); ++s)
      reports_[s].overlap = samples_[s].overlap(context_.comm, samples_[kept_.front().start]);
    MultiStartSolution result;
    if (kept_.size() > 1 && !keeps_others_) result.other = std::move(kept_.back().solution);
    for (std::size_t k = 1; k < kept_.size() && keeps_others_; ++k)
      result.others.emplace_back(reports_[kept_[k].start].name, std::move(kept_[k].solution));
    result.best = std::move(kept_.front().solution);
    if (stopped_) result.best.stop_reason = *stopped_;
    result.best_start = reports_[kept_.front().start].name;
    result.starts = std::move(reports_);
    return result;
  }

 private:
  struct Kept {
    std::size_t start;
    GromovSolution solution;
  };

  /// The best first, then by F.
  void sort_kept() {
    const std::size_t best = best_of(reports_);
    std::sort(kept_.begin(), kept_.end(), [&](const Kept& x, const Kept& y) {
      if (x.start == best || y.start == best) return x.start == best && y.start != best;
      return is_less(reports_[x.start].primal, reports_[y.start].primal);
    });
  }

  /// Collective.
  void drop_others() {
    const std::size_t best = kept_.front().start;
    std::erase_if(kept_, [&](const Kept& kept) {
      return kept.start != best &&
             (!is_close(reports_[kept.start].primal, reports_[best].primal, close_primal) ||
              !(samples_[kept.start].overlap(context_.comm, samples_[best]) < distinct_overlap));
    });
    if (kept_.size() > 2) kept_.erase(kept_.begin() + 2, kept_.end());
  }

  const Context& context_;
  const GromovProblem& problem_;
  bool keeps_others_ = false;
  const StartObserver& observer_;
  const StopCheck& stop_check_;
  std::optional<StopReason> stopped_;
  std::vector<StartReport> reports_;
  std::vector<CouplingSample> samples_;
  std::vector<Kept> kept_;  // the best, and of those far from it and close in F that of least F; or all, by F
};

MultiStartSolution solve_whole(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings,
                               Contest contest) {
  std::optional<StartCouplings> couplings;
  if (settings.starts > 2) couplings.emplace(context.comm, problem, context.seed);
  for (std::int64_t s = 0; s < settings.starts && !contest.is_stopped(); ++s) {
    const StartCoupling start = couplings ? couplings->make(s) : StartCoupling{start_name(s), s != 1, {}};
    StartReport report;
    report.name = start.name;
    contest.enter(std::move(report), settings_from(settings.solve, start, problem));
  }
  return std::move(contest).result();
}

StartReport report_of(const AnchorRound& round, std::size_t s) {
  const AnchorResult& result = round.result(s);
  StartReport report;
  report.name = start_name(static_cast<std::int64_t>(s));
  report.anchor_primal = result.primal;
  report.outer = result.outer;
  report.evaluations = result.evaluations;
  report.seconds = result.seconds;
  report.stop_reason = result.stop_reason;
  return report;
}

/// The other starts of the anchors, and all in their order.
void add_other_starts(const AnchorRound& round, const std::vector<std::pair<std::size_t, std::size_t>>& merged,
                      MultiStartSolution& result) {
  std::vector<StartReport> carried = std::move(result.starts);
  std::vector<StartReport> all(merged.size());
  std::size_t chosen = 0;
  for (const auto& [s, same] : merged) {
    all[s] = report_of(round, s);
    if (all[s].name == result.best_start) chosen = s;
    if (same != s) all[s].merged_into = start_name(static_cast<std::int64_t>(same));
    for (StartReport& report : carried)
      if (report.name == all[s].name) all[s] = std::move(report);
  }
  if (result.best_start != given_name)
    for (std::size_t s = 0; s < all.size(); ++s) all[s].anchor_overlap = round.overlap(s, chosen);
  if (!carried.empty() && carried.front().name == given_name) all.insert(all.begin(), std::move(carried.front()));
  result.starts = std::move(all);
}

MultiStartSolution solve_through_anchors(const Context& context, const GromovProblem& problem,
                                         const MultiStartSettings& settings, Contest contest,
                                         const StopCheck& stop_check) {
  AnchorRound round(context, problem, settings);
  round.solve(stop_check);
  const auto merged = round.merged();
  GromovSettings finish = settings.solve;
  finish.epsilon_start.reset();
  const double least = round.result(merged.front().first).primal;
  std::int64_t carried = 0;
  for (const auto& [s, same] : merged) {
    const bool is_hopeless = carried > 0 && !is_close(round.result(s).primal, least, hopeless_primal);
    if (same != s || is_hopeless || carried == settings.carried || contest.is_stopped()) continue;
    finish.start = round.coupling(s);
    contest.enter(report_of(round, s), finish);
    ++carried;
  }
  MultiStartSolution result = std::move(contest).result();
  add_other_starts(round, merged, result);
  return result;
}


/// Whether starts are couplings of the problem's marginals, from which its iteration can begin.
bool takes_couplings(const GromovProblem& problem) {
  return problem.mode == GromovMode::balanced && problem.regularisation == Regularisation::entropy;
}

/// Starts that the problem has: a b^T alone, annealed and not, where couplings are none.
std::int64_t num_starts(const GromovProblem& problem, const MultiStartSettings& settings) {
  if (problem.regularisation == Regularisation::proximal) return 1;
  return takes_couplings(problem) ? settings.starts : std::min<std::int64_t>(settings.starts, 2);
}

void enter_given(const GromovProblem& problem, const MultiStartSettings& settings, Contest& contest) {
  if (!takes_couplings(problem))
    throw DataError(
        "a given start is a coupling of both marginals; it goes with balanced couplings and the entropy; leave it out");
  GromovSettings own = settings.solve;
  own.start = *settings.given;
  own.epsilon_start.reset();
  StartReport report;
  report.name = given_name;
  contest.enter(std::move(report), own);
}

}  // namespace

std::int64_t most_kept(const MultiStartSettings& settings, std::int64_t most_cells) {
  if (most_cells <= settings.anchors || settings.starts <= 2) return settings.starts;
  return std::min(settings.starts, settings.carried);
}

MultiStartSolution solve_gromov_from_starts(const Context& context, const GromovProblem& problem,
                                            const MultiStartSettings& settings, const StartObserver& observer,
                                            const StopCheck& stop_check) {
  Contest contest(context, problem, settings.keeps_others, observer, stop_check);
  const bool has_given = settings.given.has_value();
  if (has_given) enter_given(problem, settings, contest);
  const bool is_small = static_cast<std::int64_t>(std::max(problem.a.size(), problem.b.size())) <= settings.anchors;
  MultiStartSettings own = settings;
  own.starts = num_starts(problem, settings) - (has_given ? 1 : 0);
  MultiStartSolution solution = is_small || own.starts <= 2
                                    ? solve_whole(context, problem, own, std::move(contest))
                                    : solve_through_anchors(context, problem, own, std::move(contest), stop_check);
  const auto other = closest_other(solution.starts);
  solution.is_ambiguous = other.has_value();
  if (other) solution.other_start = solution.starts[*other].name;
  const bool has_bounds = problem.mode == GromovMode::balanced && !is_stop_request(solution.best.stop_reason);
  if (settings.wants_bounds && has_bounds) solution.bounds = lower_bounds(context, problem);
  return solution;
}

}  // namespace thalweg
