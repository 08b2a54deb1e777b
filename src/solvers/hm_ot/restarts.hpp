// The starts of a solve, run on the sample and shared out over the ranks.
#pragma once

#include "solvers/hm_ot/hm_ot.hpp"
#include "solvers/hm_ot/progress.hpp"
#include "solvers/hm_ot/sample.hpp"
#include "solvers/hm_ot/start.hpp"
#include "solvers/hm_ot/stop_poll.hpp"

namespace thalweg {

struct RestartOutcome {
  ChainState best;  // descended at the smooth level, without path steps; the same on all ranks
  std::vector<RestartRecord> records;
};

/// How the race is kept between runs.
struct RaceKeeper {
  RaceState state;                              // to begin with, then the present one; no starts: a new race
  std::function<bool()> is_due = {};            // asked by all ranks between rounds; empty: nothing is kept
  std::function<void(bool is_stopping)> save = {};  // of `state`, on all ranks
};

/// What starts are made of, and the chain that they descend on.
struct RestartProblem {
  const HmOtSettings& settings;
  const DescentOptions& options;
  const Chain& sample_chain;
  const std::vector<SampledSlice>& sample;
  const Trajectories& trajectories;
};

/// Descends from every start on the sample chain, restart k on rank k mod size, in rounds of 10, 20, 40, ..
/// sweeps; after each round the better half by F_eps goes on (lowest index on ties), until the best of at most
/// three is taken. A reason to stop ends the race at the best start so far, of which there is at
/// least one. Of a round that is stopped the starts that are done with it are kept, the others begin it again. Collective
/// over context.comm, while each descent is local.
RestartOutcome run_restarts(const Context& context, const RestartProblem& problem, const Descent::Observer& observer,
                            StopPoll& stop, RaceKeeper& keeper);

}  // namespace thalweg
