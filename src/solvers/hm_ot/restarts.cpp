#include "solvers/hm_ot/restarts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

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
                            const Trajectories& trajectories, const Descent::Observer& observer) {
  const Communicator& comm = context.comm;
  const std::vector<StartPlan> plans = plan_starts(settings, sample_chain);
  constexpr double never = std::numeric_limits<double>::max();
  std::vector<double> objectives(plans.size(), never), regularized(plans.size(), never);
  ChainState own_best;
  double own_value = never;
  comm.on_all([&] {
    for (std::size_t k = static_cast<std::size_t>(comm.rank()); k < plans.size(); k += static_cast<std::size_t>(comm.size())) {
      ChainState state = plans[k].is_kmeans ? kmeans_start(sample_chain, sample, context.seed)
                                            : transport_start(sample_chain, sample, trajectories, context.seed, plans[k].restart);
      Descent descent(sample_chain, options, "start " + std::to_string(k), observer);
      descent.descend(options.smooth_level, options.tolerance, options.max_sweeps, no_mass_steps, state);
      if (!is_descended(sample_chain, state)) continue;
      objectives[k] = state.objective;
      regularized[k] = state.regularized;
      if (state.regularized < own_value) {
        own_value = state.regularized;
        own_best = std::move(state);
      }
    }
  });
  comm.all_reduce(std::span<double>(objectives), Reduction::min);
  comm.all_reduce(std::span<double>(regularized), Reduction::min);
  const std::size_t chosen = static_cast<std::size_t>(std::min_element(regularized.begin(), regularized.end()) - regularized.begin());
  if (regularized[chosen] == never) throw NumericalError("no start of the descent could be solved; check the features for extreme values");
  RestartOutcome outcome;
  outcome.best = std::move(own_best);
  broadcast_state(comm, sample_chain, static_cast<int>(chosen % static_cast<std::size_t>(comm.size())), outcome.best);
  for (std::size_t k = 0; k < plans.size(); ++k)
    outcome.records.push_back({plans[k].is_kmeans ? "kmeans" : "transport", objectives[k], regularized[k], k == chosen});
  return outcome;
}

}  // namespace thalweg
