// Results of HM-OT and low-rank jobs: tables, plots, the sidecar file.
#pragma once

#include "job/chain_files.hpp"
#include "job/hmot_problem.hpp"
#include "job/job_session.hpp"

namespace thalweg {

/// Names under which a command writes its results.
struct ChainOutput {
  std::string prefix = "hmot";  // of obs columns and of the uns entry
  std::string title;            // of the map
  std::string slice_noun = "time";
  double edge_threshold = 0.05;
  std::string annotation;       // obs column that the types are compared with; empty: none
  CellTypesRequest cells;
};

/// A solved chain with its cells.
struct ChainResults {
  const HmOtJob& job;
  const HmOtSolution& solution;
  const TimeSeries& series;  // all slices
  const CellTypes& types;
};

/// Writes everything but run.json. Collective.
/// @param series    all slices
/// @param seconds   of the solve
void write_chain_results(JobSession& session, const JobContext& context, const HmOtJob& job, const HmOtSolution& solution,
                         const TimeSeries& series, const std::vector<ChainFile>& files, const ChainOutput& output, double seconds);

/// Logs objective, baseline, errors and stop reason, and warns where a user should look.
void log_solution(const HmOtSolution& solution);

}  // namespace thalweg
