#include "solvers/gromov/multi_start.hpp"

#include <algorithm>
#include <cmath>

#include "solvers/gromov/anchor_round.hpp"
#include "solvers/gromov/contest.hpp"

namespace thalweg {

namespace {

constexpr double hopeless_primal = 0.1;  // above the least on the anchors, relative
constexpr double harmless_primal = 0.02;  // of exchanges: those above it leave no doubt

/// Whether starts are couplings of the problem's marginals, from which its iteration can begin.
bool takes_couplings(const GromovProblem& problem) {
  return problem.mode == GromovMode::balanced && problem.regularisation == Regularisation::entropy;
}

/// Starts that the problem has beside a given one: a b^T alone, annealed and not, where couplings are none.
std::int64_t num_starts(const GromovProblem& problem, const MultiStartSettings& settings) {
  if (problem.regularisation == Regularisation::proximal) return 1;
  const std::int64_t given = settings.given ? 1 : 0;
  return takes_couplings(problem) ? settings.starts - given : std::min<std::int64_t>(settings.starts, 2);
}

/// At most one group a source.
std::int64_t num_groups(const GromovProblem& problem, const MultiStartSettings& settings) {
  if (!takes_couplings(problem) || problem.linear || num_exchanges(settings) == 0) return 0;
  return std::min(settings.exchange_groups, static_cast<std::int64_t>(problem.a.size()));
}

StartReport report_of(const AnchorResults& results, std::size_t s) {
  const AnchorResults::Start& result = results.starts[s];
  StartReport report;
  report.name = results.name_of(s);
  report.anchor_primal = result.primal;
  report.outer = result.outer;
  report.evaluations = result.evaluations;
  report.seconds = result.seconds;
  report.stop_reason = result.stop_reason;
  return report;
}

/// The starts of a problem, one after another; what is kept of them between runs.
class StartRace {
 public:
  StartRace(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings,
            const StartObserver& observer, const StopCheck& stop_check)
      : context_(context), problem_(problem), settings_(settings), stop_check_(stop_check),
        contest_(context, problem, settings_) {
    settings_.exchange_groups = num_groups(problem, settings);
    settings_.starts = num_starts(problem, settings);
    contest_.watch(observer, stop_check);
    contest_.keep_with([this](StateVisitor& v) { visit_state(v); });
  }
  StartRace(const StartRace&) = delete;
  StartRace& operator=(const StartRace&) = delete;

  MultiStartSolution solve() {
    restore();
    if (settings_.given) enter_given();
    const auto most_cells = static_cast<std::int64_t>(std::max(problem_.a.size(), problem_.b.size()));
    if (most_cells <= settings_.anchors || settings_.starts <= 2) enter_all();
    else if (!contest_.is_stopped()) enter_through_anchors();
    contest_.finish();
    const bool has_bounds = problem_.mode == GromovMode::balanced && !contest_.is_stopped();
    if (settings_.wants_bounds && has_bounds && !bounds_) bounds_ = lower_bounds(context_, problem_);
    if (settings_.keeps_end && contest_.has_entered() && !contest_.is_stopped()) contest_.save("end", false);
    return result();
  }

 private:
  void restore() {
    Checkpoint* const checkpoint = settings_.checkpoint;
    if (checkpoint == nullptr || !checkpoint->restore([this](StateVisitor& v) { visit_state(v); })) return;
    contest_.rebuild();
  }

  void visit_state(StateVisitor& v) {
    v.part("anchors", [&] { anchors_.visit_state(v); });
    v.part("contest", [&] { contest_.visit_state(v); });
    v.optional("bounds", bounds_, [&](LowerBounds& bounds) {
      v.scalar("eccentricity", bounds.eccentricity);
      v.optional("distribution", bounds.distribution, [&](double& value) { v.scalar("value", value); });
    });
    v.optional("exchanged", exchanged_, [&](std::vector<double>& coupling) { v.replicated("coupling", coupling); });
  }

  void enter_given() {
    if (!takes_couplings(problem_))
      throw DataError(
          "a given start is a coupling of both marginals; it goes with balanced couplings and the entropy; leave it "
          "out");
    GromovSettings own = settings_.solve;
    own.start = settings_.given;
    own.epsilon_start.reset();
    StartReport report;
    report.name = given_start;
    contest_.enter(std::move(report), own);
  }

  /// On all cells at once.
  void enter_all() {
    std::optional<StartCouplings> couplings;
    for (std::int64_t s = 0; s < settings_.starts && !contest_.is_stopped(); ++s) {
      StartReport report;
      report.name = start_name(s);
      if (contest_.has(report.name)) continue;
      if (settings_.starts > 2 && !couplings) couplings.emplace(context_.comm, problem_, context_.seed);
      const StartCoupling start = couplings ? couplings->make(s) : StartCoupling{report.name, s != 1, false, {}};
      contest_.enter(std::move(report), settings_from(settings_.solve, start, problem_));
    }
    enter_exchanges(couplings);
  }

  /// From the best coupling so far, which a run that goes on has to begin from again.
  void enter_exchanges(std::optional<StartCouplings>& couplings) {
    const GromovSolution* const best = contest_.best();
    const bool is_possible = settings_.exchange_groups > 0 && settings_.starts > 2;
    if (!is_possible || contest_.is_stopped() || best == nullptr || !std::isfinite(best->primal)) return;
    if (!couplings) couplings.emplace(context_.comm, problem_, context_.seed);  // the other starts were done before
    if (!exchanged_) {
      const std::vector<double> owned = coupling_of(*best);
      exchanged_ = context_.comm.all_gather(std::span<const double>(owned));
    }
    Matrix coupling(static_cast<std::int64_t>(problem_.a.size()), static_cast<std::int64_t>(problem_.b.size()));
    coupling.values = *exchanged_;
    const std::vector<std::int32_t> groups = couplings->groups(settings_.exchange_groups);
    for (std::int64_t pair = 0; pair < num_pairs(settings_.exchange_groups) && !contest_.is_stopped(); ++pair) {
      StartReport report;
      report.name = start_name(first_exchange + pair);
      if (contest_.has(report.name)) continue;
      const StartCoupling start = couplings->exchange(pair, groups, coupling);
      contest_.enter(std::move(report), settings_from(settings_.solve, start, problem_));
    }
  }

  void enter_through_anchors() {
    round_.emplace(context_, problem_, settings_, anchors_);
    const std::optional<StopReason> told = round_->solve(stop_check_);
    if (told) {
      contest_.save("starts on anchors", /*is_stopping=*/true);
      contest_.stop(*told);
    }
    GromovSettings finish = settings_.solve;
    finish.epsilon_start.reset();
    const auto merged = round_->merged();
    std::int64_t carried = 0;
    for (const auto& [s, same] : merged) {
      const double least = anchors_.starts[merged.front().first].primal;
      const double most = round_->is_new(s, merged) ? harmless_primal : hopeless_primal;
      const bool is_hopeless = carried > 0 && !is_close_primal(anchors_.starts[s].primal, least, most);
      if (same != s || is_hopeless || carried == settings_.carried) continue;
      finish.start = round_->coupling(s);
      contest_.enter(report_of(anchors_, s), finish);
      ++carried;
    }
    if (!merged.empty()) return;
    finish.start = std::monostate();  // stopped before there was any coupling
    contest_.enter(report_of(anchors_, 0), finish);
  }

  MultiStartSolution result() {
    MultiStartSolution solution = std::move(contest_).result();
    if (round_) add_other_starts(solution);
    if (solution.other_start.empty())
      if (const auto other = closest_other(solution.starts)) solution.other_start = solution.starts[*other].name;
    solution.is_ambiguous = !solution.other_start.empty();
    solution.bounds = bounds_;
    return solution;
  }

  /// The other starts of the anchors, and all in their order.
  void add_other_starts(MultiStartSolution& solution) const {
    std::vector<StartReport> carried = std::move(solution.starts), all;
    std::optional<std::size_t> chosen;
    for (std::size_t s = 0; s < anchors_.starts.size(); ++s) {
      all.push_back(report_of(anchors_, s));
      if (all[s].name == solution.best_start) chosen = s;
      for (StartReport& report : carried)
        if (report.name == all[s].name) all[s] = std::move(report);
    }
    for (const auto& [s, same] : round_->merged())
      if (same != s) all[s].merged_into = anchors_.name_of(same);
    for (std::size_t s = 0; s < all.size() && chosen; ++s) all[s].anchor_overlap = round_->overlap(s, *chosen);
    if (!carried.empty() && carried.front().name == given_start)
      all.insert(all.begin(), std::move(carried.front()));
    solution.starts = std::move(all);
  }

  const Context& context_;
  const GromovProblem& problem_;
  MultiStartSettings settings_;
  const StopCheck& stop_check_;
  Contest contest_;
  AnchorResults anchors_;
  std::optional<AnchorRound> round_;
  std::optional<LowerBounds> bounds_;
  std::optional<std::vector<double>> exchanged_;  // coupling of all cells whose groups are exchanged
};

}  // namespace

std::int64_t num_exchanges(const MultiStartSettings& settings) {
  return settings.starts > 2 ? num_pairs(settings.exchange_groups) : 0;
}

std::int64_t most_kept(const MultiStartSettings& settings, std::int64_t most_cells) {
  const std::int64_t all = settings.starts + num_exchanges(settings);
  return most_cells <= settings.anchors || settings.starts <= 2 ? all : std::min(all, settings.carried);
}

MultiStartSolution solve_gromov_from_starts(const Context& context, const GromovProblem& problem,
                                            const MultiStartSettings& settings, const StartObserver& observer,
                                            const StopCheck& stop_check) {
  return StartRace(context, problem, settings, observer, stop_check).solve();
}

}  // namespace thalweg
