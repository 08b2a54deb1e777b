// The solve phase that hmot and lowrank share: progress, stop requests, states, outcome in the log.
#pragma once

#include "job/hmot_problem.hpp"
#include "job/job_session.hpp"

namespace thalweg {

struct SolvedChain {
  HmOtSolution solution;
  double seconds = 0.0;
};

/// Ends the phase "read" and leaves the session in the phase "write". Collective.
SolvedChain solve_chain(JobSession& session, const HmOtJob& job, HmOtSettings settings);

}  // namespace thalweg
