#include "solvers/hm_ot/restarts.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
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
  if (comm.rank() != owner) state = shaped_state(chain);
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
  bool is_done = false;  // with this round

  void measure(const Chain& chain) {
    const bool is_good = is_descended(chain, state);
    objective = is_good ? state.objective : never;
    regularized = is_good ? state.regularized : never;
  }
  /// Another rank measures: what is known of the last round must not meet its values of this one, E may have risen.
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
  Start kind = Start::transport;
  std::uint32_t restart = 0;
};

std::string name_of(Start start) {
  if (start == Start::random) return "random";
  return start == Start::kmeans ? "kmeans" : "transport";
}

std::vector<StartPlan> plan_starts(const HmOtSettings& settings, const Chain& chain) {
  std::vector<StartPlan> plans;
  if (settings.start != Start::kmeans) {
    const bool is_one = settings.start == Start::transport && is_start_determined(chain);
    const int count = is_one ? 1 : std::max(1, settings.restarts);
    for (int k = 0; k < count; ++k) plans.push_back({settings.start, static_cast<std::uint32_t>(k)});
  }
  const bool has_kmeans = settings.start == Start::transport && !is_start_determined(chain);
  if (settings.start == Start::kmeans || has_kmeans) plans.push_back({Start::kmeans, 0});
  return plans;
}

/// The starts and what is shared between their descents.
class Race {
 public:
  using MakeStart = std::function<ChainState(std::size_t)>;

  Race(const Communicator& comm, const DescentOptions& options, const Chain& chain, std::size_t count, MakeStart make_start)
      : comm_(comm), options_(options), chain_(chain), contenders_(count), make_start_(std::move(make_start)) {}

  Contender& operator[](std::size_t k) { return contenders_[k]; }

  /// Restart k is run by rank k mod size.
  int owner(std::size_t k) const { return static_cast<int>(k % static_cast<std::size_t>(comm_.size())); }

  /// Up to `sweeps` sweeps of every start, whose values all ranks then know. After a reason to stop, starts keep
  /// the state they have.
  void run_round(const std::vector<std::size_t>& starts, int sweeps, const Descent::Observer& observer, StopPoll& stop) {
    before_ = contenders_;
    for (const std::size_t k : starts)
      if (owner(k) != comm_.rank()) contenders_[k].forget();
    stop.run_apart([&] {
      for (const std::size_t k : starts) {
        if (owner(k) != comm_.rank() || contenders_[k].is_done) continue;
        if (stop.reason() && !is_needed()) break;
        descend(k, sweeps, observer, stop);
      }
    });
    share_values(comm_, contenders_);
  }

  void begin_next_round() {
    for (Contender& contender : contenders_) contender.is_done = false;
  }

  /// Between rounds. Collective.
  RaceState kept(const std::vector<std::size_t>& alive, int sweeps) {
    for (const std::size_t k : alive) broadcast_state(comm_, chain_, owner(k), contenders_[k].state);
    return race_of(contenders_, alive, sweeps);
  }

  /// After a round that was stopped: starts that are done with it, the others as they began it. Collective, as only the
  /// owner of a start has its state.
  RaceState interrupted(const std::vector<std::size_t>& alive, int sweeps) {
    std::vector<Contender> at = before_;
    for (const std::size_t k : alive) {
      if (comm_.any(contenders_[k].is_done)) {
        at[k] = contenders_[k];
        at[k].is_done = true;
      }
      if (comm_.any(!at[k].state.slices.empty())) broadcast_state(comm_, chain_, owner(k), at[k].state);
    }
    return race_of(at, alive, sweeps);
  }

  void restore(const RaceState& race) {
    if (race.starts.size() != contenders_.size()) throw DataError("the state of the starts has " + std::to_string(race.starts.size()) + " of them, not " + std::to_string(contenders_.size()));
    for (std::size_t k = 0; k < contenders_.size(); ++k) {
      const RaceState::Start& start = race.starts[k];
      contenders_[k] = {start.state.value_or(ChainState{}), start.objective, start.regularized, start.is_done};
    }
  }

  /// Best first, lowest index on ties.
  void rank(std::vector<std::size_t>& starts) const {
    std::sort(starts.begin(), starts.end());
    std::stable_sort(starts.begin(), starts.end(), [&](std::size_t a, std::size_t b) { return contenders_[a].regularized < contenders_[b].regularized; });
  }

 private:
  static RaceState race_of(const std::vector<Contender>& contenders, const std::vector<std::size_t>& alive, int sweeps) {
    RaceState race;
    race.sweeps = sweeps;
    race.alive.assign(alive.begin(), alive.end());
    for (const Contender& contender : contenders) race.starts.push_back({{}, contender.objective, contender.regularized, contender.is_done});
    for (const std::size_t k : alive)
      if (!contenders[k].state.slices.empty()) race.starts[k].state = contenders[k].state;
    return race;
  }

  void descend(std::size_t k, int sweeps, const Descent::Observer& observer, StopPoll& stop) {
    Contender& contender = contenders_[k];
    if (contender.state.slices.empty()) {
      contender.state = make_start_(k);
      if (stop.after_start() && !is_needed()) return;
    }
    Descent descent(chain_, options_, "start " + std::to_string(k), observer, [&] { return stop.after_sweep(); });
    const StopReason reason = descent.descend(options_.smooth_level, options_.tolerance, sweeps, no_mass_steps, contender.state);
    contender.is_done = !is_stop_request(reason);
    contender.measure(chain_);
  }

  /// The owner of the first start goes on to one that all can end with.
  bool is_needed() const {
    return owner(0) == comm_.rank() && std::all_of(contenders_.begin(), contenders_.end(), [](const Contender& c) { return c.regularized == never; });
  }

  const Communicator& comm_;
  const DescentOptions& options_;
  const Chain& chain_;
  std::vector<Contender> contenders_, before_;  // now, and at the beginning of the round
  MakeStart make_start_;
};

}  // namespace

RestartOutcome run_restarts(const Context& context, const RestartProblem& problem, const Descent::Observer& observer,
                            StopPoll& stop, RaceKeeper& keeper) {
  const Chain& sample_chain = problem.sample_chain;
  const std::vector<StartPlan> plans = plan_starts(problem.settings, sample_chain);
  Race race(context.comm, problem.options, sample_chain, plans.size(), [&](std::size_t k) {
    if (plans[k].kind == Start::kmeans) return kmeans_start(sample_chain, problem.sample, context.seed, problem.trajectories.moments);
    if (plans[k].kind == Start::random) return random_start(sample_chain, problem.sample, context.seed, plans[k].restart);
    return transport_start(sample_chain, problem.sample, problem.trajectories, context.seed, plans[k].restart);
  });
  std::vector<std::size_t> alive(plans.size());
  std::iota(alive.begin(), alive.end(), std::size_t{0});
  int sweeps = first_round_sweeps;
  if (!keeper.state.starts.empty()) {
    race.restore(keeper.state);
    alive.assign(keeper.state.alive.begin(), keeper.state.alive.end());
    sweeps = keeper.state.sweeps;
  }
  for (;; sweeps *= 2) {
    race.run_round(alive, sweeps, observer, stop);
    if (stop.reason() && keeper.save) {
      keeper.state = race.interrupted(alive, sweeps);
      keeper.save(/*is_stopping=*/true);
    }
    race.rank(alive);
    if (alive.size() <= last_round_starts || stop.reason()) break;
    alive.resize((alive.size() + 1) / 2);
    race.begin_next_round();
    if (!keeper.save || !keeper.is_due()) continue;
    keeper.state = race.kept(alive, 2 * sweeps);
    keeper.save(/*is_stopping=*/false);
  }
  const std::size_t chosen = alive.front();
  if (race[chosen].regularized == never)
    throw NumericalError("no start of the descent could be solved; check the features for extreme values");
  RestartOutcome outcome;
  outcome.best = std::move(race[chosen].state);
  broadcast_state(context.comm, sample_chain, race.owner(chosen), outcome.best);
  for (std::size_t k = 0; k < plans.size(); ++k)
    outcome.records.push_back(race[k].record(name_of(plans[k].kind), k == chosen));
  return outcome;
}

}  // namespace thalweg
