// A script to Slurm and back: submit, try, cancel.
#pragma once

#include <string>

#include "job/slurm/submission.hpp"

namespace thalweg {

/// The script: of a chain the one that submits its stages.
std::string rendered_script(const Submission& submission);

// The following are for one rank. They throw ConfigError with Slurm's own message above it, and IoError.

/// Writes the scripts and items.tsv into the results folder, has Slurm look at them without submitting, and returns what
/// there is to say about them. Throws ConfigError while jobs that were submitted from that folder are in the queue, which
/// read the same files.
std::string try_submission(const Submission& submission);

/// The same, and submits. @return the job's number and what to watch, resume and cancel it with
std::string submit(const Submission& submission);

/// Cancels the jobs that were submitted last from a results folder. Throws DataError when there are none.
std::string cancel(const std::string& results);

}  // namespace thalweg
