// The solve phase of transport: progress, stop requests, and the divergence.
#pragma once

#include <optional>

#include "job/job_session.hpp"
#include "job/transport_tables.hpp"

namespace thalweg {

/// The job's context in the precision of the problem.
Context context_of(const JobSession& session, const TransportProblem& problem);

/// Solves with progress under the pair's name. Collective.
SinkhornSolution solve_transport(JobSession& session, const std::string& pair, const TransportProblem& problem);

/// The divergence of a solved problem: each side is also coupled with itself, at the same scale. Collective.
Divergence solve_divergence(JobSession& session, const SinkhornOptions& options, const TransportSides& sides,
                            const TransportProblem& problem, const SinkhornSolution& solution);

}  // namespace thalweg
