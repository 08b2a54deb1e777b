#include "solvers/gromov/anchor_round.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "distributed/state_tape.hpp"
#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/contest.hpp"

namespace thalweg {

namespace {

constexpr double same_overlap = 0.9;
/// First epsilon of exchanges, of epsilon_start: enough to order the cells within groups again, not to undo the exchange.
constexpr double exchange_epsilon = 0.2;
constexpr double anchor_tolerance = 1e-4;
constexpr std::int64_t anchor_outer = 50;
constexpr std::uint32_t source_stream = 74, target_stream = 75;

double shared_mass(const std::vector<float>& p, const std::vector<float>& q) {
  double sum = 0.0;
  for (std::size_t e = 0; e < p.size(); ++e) sum += static_cast<double>(std::min(p[e], q[e]));
  return sum;
}

std::vector<std::int64_t> all_cells(const std::vector<double>& weights) {
  std::vector<std::int64_t> cells(weights.size());
  std::iota(cells.begin(), cells.end(), std::int64_t{0});
  return cells;
}

}  // namespace

GromovSettings settings_from(const GromovSettings& settings, const StartCoupling& start, const GromovProblem& problem) {
  GromovSettings own = settings;
  if (start.mass) own.start = CellCoupling{all_cells(problem.a), all_cells(problem.b), *start.mass};
  if (!start.is_annealed) own.epsilon_start.reset();
  if (start.is_exchange && own.epsilon_start) *own.epsilon_start *= exchange_epsilon;
  return own;
}

std::string AnchorResults::name_of(std::size_t s) const {
  const auto start = static_cast<std::int64_t>(s), first = static_cast<std::int64_t>(num_first);
  return start_name(start < first ? start : first_exchange + start - first);
}

void AnchorResults::visit_state(StateVisitor& v) {
  std::size_t count = starts.size();
  v.scalar("num_starts", count);
  starts.resize(count);
  couplings.resize(count);
  under_way.resize(count);
  for (std::size_t s = 0; s < count; ++s)
    v.part("start_" + std::to_string(s), [&] {
      Start& start = starts[s];
      v.scalar("is_done", start.is_done);
      if (!start.is_done) return v.replicated("under_way", under_way[s]);
      v.scalar("primal", start.primal);
      v.scalar("outer", start.outer);
      v.scalar("evaluations", start.evaluations);
      v.scalar("seconds", start.seconds);
      v.scalar("stop_reason", start.stop_reason);
      v.replicated("coupling", couplings[s]);
    });
}

AnchorRound::AnchorRound(const Context& context, const GromovProblem& problem, const MultiStartSettings& settings,
                         AnchorResults& results)
    : comm_(context.comm),
      own_comm_(make_self_communicator()),
      own_{*own_comm_, context.precision, context.device, context.seed},
      settings_(settings.solve),
      source_(side_of(context, problem.source, problem.a, settings, source_stream)),
      target_(side_of(context, problem.target, problem.b, settings, target_stream)),
      linear_(context.comm, problem, source_.anchors().cells, target_.anchors().cells),
      problem_{source_.costs(),  target_.costs(), source_.anchors().weights, target_.anchors().weights,
               problem.epsilon, problem.alpha,   linear_.costs(),           problem.normalise},
      groups_(std::min(settings.exchange_groups, static_cast<std::int64_t>(problem_.a.size()))),
      results_(results) {
  results_.num_first = static_cast<std::size_t>(settings.starts);
  results_.starts.resize(results_.num_first + static_cast<std::size_t>(num_pairs(groups_)));
  results_.couplings.resize(results_.starts.size());
  results_.under_way.resize(results_.starts.size());
  settings_.tolerance = std::max(settings_.tolerance, anchor_tolerance);
  settings_.inner_tolerance = std::max(settings_.inner_tolerance, anchor_tolerance);
  settings_.max_outer = std::min(settings_.max_outer, anchor_outer);
  settings_.keep_linear = false;
  settings_.algorithm = GromovAlgorithm::mirror;
}

AnchorSide AnchorRound::side_of(const Context& context, const IntraCosts& costs, const std::vector<double>& weights,
                                const MultiStartSettings& settings, std::uint32_t stream) {
  const IntraRows rows(context.comm, costs);
  const auto choose = settings.choice == AnchorChoice::leading ? leading_anchors : choose_anchors;
  return {context.comm, rows, choose(context.comm, rows, weights, settings.anchors, {context.seed, stream})};
}

std::optional<StopReason> AnchorRound::solve(const StopCheck& stop_check) {
  const auto& starts = results_.starts;
  if (std::all_of(starts.begin(), starts.end(), [](const AnchorResults::Start& start) { return start.is_done; }))
    return {};
  const StartCouplings couplings(*own_comm_, problem_, own_.seed);
  const std::size_t first = results_.num_first;
  const auto told = solve_some(0, first, [&](std::size_t s) { return couplings.make(static_cast<std::int64_t>(s)); }, stop_check);
  const std::optional<std::size_t> best = best_first();
  if (told || !best || first == starts.size()) return told;
  const Matrix mass = coupling(*best).mass;
  const std::vector<std::int32_t> groups = couplings.groups(groups_);
  return solve_some(first, starts.size(), [&](std::size_t s) {
    return couplings.exchange(static_cast<std::int64_t>(s - first), groups, mass);
  }, stop_check);
}

std::optional<StopReason> AnchorRound::solve_some(std::size_t begin, std::size_t end, const MakeStart& make,
                                                  const StopCheck& stop_check) {
  std::optional<StopReason> told;
  comm_.on_all([&] {
    for (std::size_t s = begin; s < end && !told; ++s)
      if (owner_of(s) == comm_.rank() && !results_.starts[s].is_done) told = solve_one(s, make(s), stop_check);
  });
  for (std::size_t s = begin; s < end; ++s) share(s);
  return shared_stop(comm_, told);
}

std::optional<std::size_t> AnchorRound::best_first() const {
  std::optional<std::size_t> best;
  for (std::size_t s = 0; s < results_.num_first; ++s) {
    const AnchorResults::Start& start = results_.starts[s];
    if (start.is_done && std::isfinite(start.primal) && (!best || start.primal < results_.starts[*best].primal)) best = s;
  }
  return best;
}

std::optional<StopReason> AnchorRound::solve_one(std::size_t s, const StartCoupling& start,
                                                 const StopCheck& stop_check) {
  StateTape tape(std::exchange(results_.under_way[s], {}));
  GromovSettings settings = settings_from(settings_, start, problem_);
  settings.checkpoint = &tape;
  const GromovSolution solution = solve_gromov(own_, problem_, settings, {}, stop_check);
  if (is_stop_request(solution.stop_reason)) {
    results_.under_way[s] = tape.numbers();
    return solution.stop_reason;
  }
  results_.starts[s] = {true,
                        solution.primal,
                        solution.outer,
                        solution.evaluations,
                        solution.seconds,
                        solution.stop_reason};
  const std::vector<double> coupling = coupling_of(solution);
  results_.couplings[s].assign(coupling.begin(), coupling.end());
  return {};
}

/// What its owner knows of a start.
void AnchorRound::share(std::size_t s) {
  comm_.broadcast(std::as_writable_bytes(std::span(&results_.starts[s], 1)), owner_of(s));
  if (results_.starts[s].is_done) comm_.broadcast(results_.couplings[s], owner_of(s));
  else comm_.broadcast(results_.under_way[s], owner_of(s));
}

double AnchorRound::overlap(std::size_t s, std::size_t t) const {
  if (!results_.starts[s].is_done || !results_.starts[t].is_done) return StartReport::absent;
  return shared_mass(results_.couplings[s], results_.couplings[t]);
}

std::vector<std::pair<std::size_t, std::size_t>> AnchorRound::merged() const {
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < results_.starts.size(); ++s)
    if (results_.starts[s].is_done) order.push_back(s);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t s, std::size_t t) {
    return is_less_primal(results_.starts[s].primal, results_.starts[t].primal);
  });
  std::vector<std::pair<std::size_t, std::size_t>> kept;
  for (const std::size_t s : order) {
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& other) {
      return other.first == other.second && overlap(s, other.first) > same_overlap;
    });
    kept.emplace_back(s, same == kept.end() ? s : same->first);
  }
  return kept;
}

bool AnchorRound::is_new(std::size_t s, const std::vector<std::pair<std::size_t, std::size_t>>& merged) const {
  return std::none_of(merged.begin(), merged.end(),
                      [&](const auto& other) { return other.second == s && other.first < results_.num_first; });
}

CellCoupling AnchorRound::coupling(std::size_t s) const {
  Matrix mass(static_cast<std::int64_t>(problem_.a.size()), static_cast<std::int64_t>(problem_.b.size()));
  std::copy(results_.couplings[s].begin(), results_.couplings[s].end(), mass.values.begin());
  return {source_.anchors().cells, target_.anchors().cells, std::move(mass)};
}

}  // namespace thalweg
