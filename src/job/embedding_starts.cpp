#include "job/embedding_starts.hpp"

#include <algorithm>
#include <numeric>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "job/solve_alignment.hpp"
#include "solvers/gromov/anchors.hpp"
#include "solvers/gromov/cell_coupling.hpp"

namespace thalweg {

namespace {

constexpr std::size_t most_couplings = 3;
constexpr double same_overlap = 0.9;
constexpr std::uint32_t source_stream = 92, target_stream = 93;

std::vector<std::int64_t> all_cells(std::size_t count) {
  std::vector<std::int64_t> cells(count);
  std::iota(cells.begin(), cells.end(), std::int64_t{0});
  return cells;
}

/// A problem of the cells named, with the costs that it views.
struct Coupled {
  std::vector<std::int64_t> sources, targets;
  GromovProblem problem;
};

/// The couplings of least F, none of them like another.
std::vector<std::pair<std::string, const GromovSolution*>> distinct_solutions(const Communicator& comm,
                                                                              const MultiStartSolution& solution) {
  std::vector<std::pair<std::string, const GromovSolution*>> all{{solution.best_start, &solution.best}}, kept;
  for (const auto& [name, other] : solution.others) all.emplace_back(name, &other);
  for (const auto& [name, coupling] : all) {
    if (kept.size() == most_couplings) break;
    bool is_new = true;
    for (const auto& better : kept) is_new = is_new && overlap_of(comm, *coupling, *better.second) <= same_overlap;
    if (is_new) kept.emplace_back(name, coupling);
  }
  return kept;
}

/// P of a solution on `own` ranks, the rows that a rank owns of those on `comm`.
TargetCoupling target_coupling(const Communicator& comm, const Communicator& own, const Coupled& coupled,
                               const GromovSolution& solution) {
  TargetCoupling target{coupled.sources, coupled.targets, coupling_of(solution)};
  if (own.size() == comm.size()) return target;
  const RowRange rows = own_points(static_cast<std::int64_t>(coupled.sources.size()), comm);
  const auto m = static_cast<std::int64_t>(coupled.targets.size());
  target.mass = {target.mass.begin() + rows.begin * m, target.mass.begin() + rows.end * m};
  return target;
}

/// @param own   the ranks that solve together
EmbeddingStarts solve(JobSession& session, const Job& job, const Communicator& own, const Coupled& coupled) {
  Context context = session.solver_context();
  const Context own_context{own, context.precision, context.device, context.seed};
  MultiStartSettings settings = starts_of(job.gromov, context.precision);
  settings.wants_bounds = false;
  settings.keeps_others = true;
  const auto show = [&](const std::string& start, const GromovRecord& step) {
    const ProgressState state = progress_of("coupling " + start, step, job.gromov.tolerance);
    if (step.stop_reason) session.progress().finish(state, *step.stop_reason);
    else session.progress().check(state);
  };
  EmbeddingStarts starts;
  // A request to stop is asked for by all ranks alike where each solves for itself.
  const StopCheck check = own.size() == context.comm.size() ? StopCheck(session.stop_check()) : StopCheck();
  starts.solution = solve_gromov_from_starts(own_context, coupled.problem, settings, show, check);
  for (const auto& [name, solution] : distinct_solutions(own, starts.solution))
    starts.couplings.push_back({name, target_coupling(context.comm, own, coupled, *solution)});
  starts.solution.others.clear();
  return starts;
}

EmbeddingStarts solve_between_landmarks(JobSession& session, const Job& job, const TransportSides& sides,
                                        const AlignmentCosts& costs) {
  const Context context = session.solver_context();
  const auto side_of = [&](const SideCosts& side, const std::vector<double>& weights, std::uint32_t stream) {
    const IntraRows rows(context.comm, side.costs());
    return AnchorSide(context.comm, rows,
                      choose_anchors(context.comm, rows, weights, job.embed.gw_landmarks, {context.seed, stream}));
  };
  const AnchorSide source = side_of(costs.source, sides.source.weights, source_stream),
                   target = side_of(costs.target, sides.target.weights, target_stream);
  log_info("couplings between " + std::to_string(source.anchors().cells.size()) + " source and " +
           std::to_string(target.anchors().cells.size()) + " target cells that stand for all");
  const std::unique_ptr<Communicator> own = make_self_communicator();
  return solve(session, job, *own,
               {source.anchors().cells,
                target.anchors().cells,
                {source.costs(), target.costs(), source.anchors().weights, target.anchors().weights, job.embed.gw_epsilon}});
}

}  // namespace

EmbeddingStarts couple_for_encoders(JobSession& session, const Job& job, const TransportSides& sides,
                                    const AlignmentCosts& costs) {
  const std::vector<double>&a = sides.source.weights, &b = sides.target.weights;
  if (static_cast<std::int64_t>(std::max(a.size(), b.size())) > most_cells_coupled)
    return solve_between_landmarks(session, job, sides, costs);
  return solve(session, job, session.comm(),
               {all_cells(a.size()),
                all_cells(b.size()),
                {costs.source.costs(), costs.target.costs(), a, b, job.embed.gw_epsilon}});
}

}  // namespace thalweg
