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

EmbeddingStarts solve(JobSession& session, const Job& job, const Coupled& coupled) {
  const Context context = session.solver_context();
  MultiStartSettings settings = starts_of(job.gromov, context.precision);
  settings.wants_bounds = false;
  settings.keeps_others = true;
  EmbeddingStarts starts;
  starts.solution = solve_alignment(session, job, coupled.problem, settings, "coupling");
  for (const auto& [name, solution] : distinct_solutions(context.comm, starts.solution))
    starts.couplings.push_back({name, {coupled.sources, coupled.targets, coupling_of(*solution)}});
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
  const Anchors &x = source.anchors(), &y = target.anchors();
  log_info("couplings between " + std::to_string(x.cells.size()) + " source and " + std::to_string(y.cells.size()) +
           " target cells that stand for all");
  return solve(session, job,
               {x.cells,
                y.cells,
                {source.costs_on(context.comm), target.costs_on(context.comm), x.weights, y.weights, job.embed.gw_epsilon}});
}

}  // namespace

bool are_landmarks_coupled(const EmbedOptions& options, std::int64_t most_cells) { return most_cells > options.gw_cells; }

EmbeddingStarts couple_for_encoders(JobSession& session, const Job& job, const TransportSides& sides,
                                    const AlignmentCosts& costs) {
  const std::vector<double>&a = sides.source.weights, &b = sides.target.weights;
  if (are_landmarks_coupled(job.embed, static_cast<std::int64_t>(std::max(a.size(), b.size()))))
    return solve_between_landmarks(session, job, sides, costs);
  return solve(session, job,
               {all_cells(a.size()),
                all_cells(b.size()),
                {costs.source.costs(), costs.target.costs(), a, b, job.embed.gw_epsilon}});
}

}  // namespace thalweg
