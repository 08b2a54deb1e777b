// How far a solve has come: everything that it goes on from after it was interrupted.
#pragma once

#include <optional>
#include <vector>

#include "distributed/state_visitor.hpp"
#include "solvers/hm_ot/hm_ot.hpp"

namespace thalweg {

/// Zeros in the shapes of `chain`.
ChainState shaped_state(const Chain& chain);

/// Lists all numbers of a state of `chain`.
void visit_chain_state(StateVisitor& v, const Chain& chain, ChainState& state);

/// The race of the starts within a round; the same on all ranks.
struct RaceState {
  struct Start {
    std::optional<ChainState> state;  // absent: not yet made, or out of the race
    double objective = 0.0, regularized = 0.0;
    bool is_done = false;             // with this round
  };

  int sweeps = 0;                    // of the round
  std::vector<std::int64_t> alive;   // best first
  std::vector<Start> starts;         // all

  void visit_state(StateVisitor& v, const Chain& chain);
};

struct HmOtProgress {
  enum class Stage { race, sample, all };

  Stage stage = Stage::race;
  RaceState race;
  std::vector<Matrix> start_moments;        // of the race: anchor_moments.hpp
  std::vector<RestartRecord> restarts;      // from here on: after the race
  ChainState state;
  std::optional<ChainState> baseline_state;
  double full_rank_reference = 0.0;
  std::int64_t level = 0;                   // index of the epsilon of the last stage
  StopReason reason = StopReason::converged;  // of the levels before
  std::optional<DescentPosition> position;  // of the descent in this stage; absent: it is to begin
  std::vector<DescentRecord> history;
  std::int64_t passes = 0;                  // over the rows of all cells

  void visit_state(StateVisitor& v, const Chain& chain);
};

}  // namespace thalweg
