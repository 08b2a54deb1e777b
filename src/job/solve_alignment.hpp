// One alignment of a job as the program runs it: the settings of [gromov], and its progress.
#pragma once

#include <string>

#include "job/job_session.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// How [gromov] says that problems are solved, but for their epsilon and starts.
GromovSettings settings_of(const GromovOptions& options, Precision precision);

/// How [gromov] says that problems are solved from several starts, but for their epsilon.
MultiStartSettings starts_of(const GromovOptions& options, Precision precision);

/// One outer step as the log shows it.
ProgressState progress_of(const std::string& pair, const GromovRecord& step, double tolerance);

/// Solves a problem from several starts, whose state is kept between runs, and shows their steps under `name` and
/// theirs. Collective.
MultiStartSolution solve_alignment(JobSession& session, const Job& job, const GromovProblem& problem,
                                   const MultiStartSettings& settings, const std::string& name);

}  // namespace thalweg
