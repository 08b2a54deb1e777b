// Files of an alignment.
#pragma once

#include "job/gromov_tables.hpp"
#include "job/job_session.hpp"

namespace thalweg {

/// Writes per-cell results, tables and plots: everything but run.json. Collective.
/// @param pairs   empty: no scores of pairs
void write_alignment(JobSession& session, const JobContext& context, const AlignmentResult& result,
                     const Alignment& alignment, const CellPairs& pairs);

/// Logs the outcome and warns where a user should look.
void log_alignment(const MultiStartSolution& starts);

}  // namespace thalweg
