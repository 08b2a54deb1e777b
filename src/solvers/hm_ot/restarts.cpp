#include "solvers/hm_ot/restarts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// All numbers of a state in one vector, in a fixed order.
template <class Visit>
void visit_numbers(ChainState& state, Visit&& visit) {
  for (SliceState& slice : state.slices) {
    visit(slice.logits.values);
    visit(slice.duals);
    visit(slice.masses);
    visit(slice.actual);
    visit(slice.means.values);
    std::vector<double> entropy{slice.entropy};
    visit(entropy);
    slice.entropy = entropy[0];
  }
  for (Matrix& coupling : state.couplings) visit(coupling.values);
  visit(state.coupling_gap);
  std::vector<double> objectives{state.objective, state.regularized};
  visit(objectives);
  state.objective = objectives[0];
  state.regularized = objectives[1];
}

void broadcast_state(const Communicator& comm, const Chain& chain, int owner, ChainState& state) {
  if (comm.size() == 1) return;
  if (comm.rank() != owner) {
    state = {};
    state.slices.resize(chain.num_slices());
    state.couplings.resize(chain.edges.size());
    for (std::size_t t = 0; t < chain.num_slices(); ++t) {
      const std::int64_t r = chain.slices[t].num_types;
      state.slices[t].means = Matrix(chain.dimension, r);
      if (!chain.slices[t].has_fixed_membership()) state.slices[t].logits = Matrix(chain.dimension, r);
    }
    for (std::size_t t = 0; t < chain.edges.size(); ++t)
      state.couplings[t] = Matrix(chain.slices[t].num_types, chain.slices[t + 1].num_types);
  }
  visit_numbers(state, [&](std::vector<double>& values) { comm.broadcast(values, owner); });
}

/// False when already the first block of the first sweep could not be solved.
bool is_descended(const Chain& chain, const ChainState& state) {
  for (std::size_t t = 0; t < chain.num_slices(); ++t)
    if (!chain.slices[t].has_fixed_membership() && state.slices[t].duals.empty()) return false;
  return std::isfinite(state.regularized);
}

constexpr double never = std::numeric_limits<double>::max();
constexpr int first_round_sweeps = 10;
constexpr std::size_t last_round_starts = 3;

/// A start in the race; its values are known to all ranks, its state to its owner.
struct Contender {
  ChainState state;
  double objective = never, regularized = never;

  void measure(const Chain& chain) {
    const bool is_good = is_descended(chain, state);
    objective = is_good ? state.objective : never;
    regularized = is_good ? state.regularized : never;
  }
  /// Another rank measures: its values of this round must not meet those of the last, E may have risen.
  void forget() { objective = regularized = never; }
  RestartRecord record(const std::string& start, bool is_chosen) const {
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    const bool is_solved = regularized != never;
    return {start, is_solved ? objective : unknown, is_solved ? regularized : unknown, is_chosen};
  }
};

void share_values(const Communicator& comm, std::vector<Contender>& contenders) {
  std::vector<double> values;
  for (const Contender& contender : contenders) {
    values.push_back(contender.objective);
    values.push_back(contender.regularized);
  }
  comm.all_reduce(std::span<double>(values), Reduction::min);
  for (std::size_t k = 0; k < contenders.size(); ++k) {
    contenders[k].objective = values[2 * k];
    contenders[k].regularized = values[2 * k + 1];
  }
}

struct StartPlan {
  bool is_kmeans = false;
  std::uint32_t restart = 0;
};

std::vector<StartPlan> plan_starts(const HmOtSettings& settings, const Chain& chain) {
  std::vector<StartPlan> plans;
  if (settings.start == Start::transport) {
    const int count = is_start_determined(chain) ? 1 : std::max(1, settings.restarts);
    for (int k = 0; k < count; ++k) plans.push_back({false, static_cast<std::uint32_t>(k)});
  }
  if (settings.start == Start::kmeans || !is_start_determined(chain)) plans.push_back({true, 0});
  return plans;
}

}  // namespace

RestartOutcome run_restarts(const Context& context, const HmOtSettings& settings, const DescentOptions& options,
                            const Chain& sample_chain, const std::vector<SampledSlice>& sample,
                            const Trajectories& trajectories, const Descent::Observer& observer,
                            const Descent::StopCheck& stop_check) {
  const Communicator& comm = context.comm;
  const std::vector<StartPlan> plans = plan_starts(settings, sample_chain);
  std::vector<Contender> contenders(plans.size());
  const auto is_own = [&](std::size_t k) { return static_cast<int>(k % static_cast<std::size_t>(comm.size())) == comm.rank(); };
  comm.on_all([&] {
    for (std::size_t k = 0; k < plans.size(); ++k)
      if (is_own(k))
        contenders[k].state = plans[k].is_kmeans ? kmeans_start(sample_chain, sample, context.seed)
                                                 : transport_start(sample_chain, sample, trajectories, context.seed, plans[k].restart);
  });
  std::vector<std::size_t> alive(plans.size());
  std::iota(alive.begin(), alive.end(), std::size_t{0});
  for (int sweeps = first_round_sweeps;; sweeps *= 2) {
    comm.on_all([&] {
      for (const std::size_t k : alive) {
        if (!is_own(k)) {
          contenders[k].forget();
          continue;
        }
        Descent descent(sample_chain, options, "start " + std::to_string(k), observer, stop_check);
        descent.descend(options.smooth_level, options.tolerance, sweeps, no_mass_steps, contenders[k].state);
        contenders[k].measure(sample_chain);
      }
    });
    share_values(comm, contenders);
    std::stable_sort(alive.begin(), alive.end(), [&](std::size_t a, std::size_t b) { return contenders[a].regularized < contenders[b].regularized; });
    if (alive.size() <= last_round_starts) break;
    alive.resize((alive.size() + 1) / 2);
    std::sort(alive.begin(), alive.end());
  }
  const std::size_t chosen = alive.front();
  if (contenders[chosen].regularized == never)
    throw NumericalError("no start of the descent could be solved; check the features for extreme values");
  RestartOutcome outcome;
  outcome.best = std::move(contenders[chosen].state);
  broadcast_state(comm, sample_chain, static_cast<int>(chosen % static_cast<std::size_t>(comm.size())), outcome.best);
  for (std::size_t k = 0; k < plans.size(); ++k)
    outcome.records.push_back(contenders[k].record(plans[k].is_kmeans ? "kmeans" : "transport", k == chosen));
  return outcome;
}

}  // namespace thalweg
