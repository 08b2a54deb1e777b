// Whether a folder already holds the result of this job.
#pragma once

#include <optional>
#include <string>

#include "job/job_context.hpp"
#include "job/results_directory.hpp"
#include "job/run_record.hpp"

namespace thalweg {

/// What a result depends on.
struct ResultOrigin {
  std::string version;
  std::string resolved;  // all settings as JSON
  std::string inputs;    // what was read, as JSON: RunRecord::inputs_text
};

/// Exit code of the finished result in `folder`: of a run to its end, with the same version, settings (all but those of
/// [run] that change no result) and input, and all its files still there. For one rank.
std::optional<int> finished_exit_code(const std::string& folder, const ResultOrigin& origin);

/// Notes the files that settings name in the record; where run.resume is on and the folder holds the result of this job
/// and of what is recorded, its exit code, with a line in the log. Collective.
std::optional<int> finished_before_run(const Communicator& comm, const JobContext& context, const ResultsDirectory& results,
                                       RunRecord& record);

}  // namespace thalweg
