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
        source_(side_of(context, problem.source, problem.a, settings.anchors, source_stream)),
        target_(side_of(context, problem.target, problem.b, settings.anchors, target_stream)),
        problem_{source_.costs(), target_.costs(), source_.anchors().weights, target_.anchors().weights,
                 problem.epsilon},
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
                            std::int64_t count, std::uint32_t stream) {
    const IntraRows rows(context.comm, costs);
    return {context.comm, rows, choose_anchors(context.comm, rows, weights, count, {context.seed, stream})};
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
  GromovProblem problem_;
  std::vector<AnchorResult> results_;
  std::vector<std::vector<float>> couplings_;  // anchors x anchors
};

/// Starts solved on all cells; the best so far, and samples of the others.
class Contest {
 public:
  Contest(const Context& context, const GromovProblem& problem, const StartObserver& observer,
          const StopCheck& stop_check)
      : context_(context), problem_(problem), observer_(observer), stop_check_(stop_check) {}

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
      if (best_) report.primal = StartReport::absent;  // perhaps of a larger epsilon
    }
    reports_.push_back(std::move(report));
    samples_.emplace_back(context_, solution);
    if (best_ && !is_less(reports_.back().primal, reports_[best_start_].primal)) return;
    best_ = std::move(solution);
    best_start_ = reports_.size() - 1;
  }

  /// The solution of least F, with its overlaps. Collective.
  MultiStartSolution result() && {
    for (std::size_t s = 0; s < samples_.size(); ++s)
      reports_[s].overlap = samples_[s].overlap(context_.comm, samples_[best_start_]);
    reports_[best_start_].is_chosen = true;
    MultiStartSolution result;
    result.best = std::move(*best_);
    if (stopped_) result.best.stop_reason = *stopped_;
    result.best_start = reports_[best_start_].name;
    result.starts = std::move(reports_);
    return result;
  }

 private:
  const Context& context_;
  const GromovProblem& problem_;
  const StartObserver& observer_;
  const StopCheck& stop_check_;
  std::optional<StopReason> stopped_;
  std::vector<StartReport> reports_;
  std::vector<CouplingSample> samples_;
  std::optional<GromovSolution> best_;
  std::size_t best_start_ = 0;
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

/// Among the couplings on all cells, and on the anchors among those that stayed there.
bool is_ambiguous(const MultiStartSolution& solution) {
  const auto best = std::find_if(solution.starts.begin(), solution.starts.end(),
                                 [](const StartReport& start) { return start.is_chosen; });
  return std::any_of(solution.starts.begin(), solution.starts.end(), [&](const StartReport& start) {
    if (start.is_carried) return start.overlap < distinct_overlap && is_close(start.primal, best->primal, close_primal);
    return start.anchor_overlap < distinct_overlap && is_close(start.anchor_primal, best->anchor_primal, close_primal);
  });
}

/// Whether starts are couplings of the problem's marginals, from which its iteration can begin.
bool takes_couplings(const GromovProblem& problem) {
  return problem.mode == GromovMode::balanced && problem.regularisation == Regularisation::entropy;
}

/// Starts that the problem has: a b^T alone, annealed and not, where couplings are none or would have to be found on
/// anchors without the costs between them.
std::int64_t num_starts(const GromovProblem& problem, const MultiStartSettings& settings, bool is_small) {
  if (problem.regularisation == Regularisation::proximal) return 1;
  const bool takes_all = takes_couplings(problem) && (is_small || !problem.linear);
  return takes_all ? settings.starts : std::min<std::int64_t>(settings.starts, 2);
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

MultiStartSolution solve_gromov_from_starts(const Context& context, const GromovProblem& problem,
                                            const MultiStartSettings& settings, const StartObserver& observer,
                                            const StopCheck& stop_check) {
  Contest contest(context, problem, observer, stop_check);
  const bool has_given = settings.given.has_value();
  if (has_given) enter_given(problem, settings, contest);
  const bool is_small = static_cast<std::int64_t>(std::max(problem.a.size(), problem.b.size())) <= settings.anchors;
  MultiStartSettings own = settings;
  own.starts = num_starts(problem, settings, is_small) - (has_given ? 1 : 0);
  MultiStartSolution solution = is_small || own.starts <= 2
                                    ? solve_whole(context, problem, own, std::move(contest))
                                    : solve_through_anchors(context, problem, own, std::move(contest), stop_check);
  solution.is_ambiguous = is_ambiguous(solution);
  const bool has_bounds = problem.mode == GromovMode::balanced && !is_stop_request(solution.best.stop_reason);
  if (settings.wants_bounds && has_bounds) solution.bounds = lower_bounds(context, problem);
  return solution;
}

}  // namespace thalweg
