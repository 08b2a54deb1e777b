// Slurm's own programs, and the jobs that were submitted with them.
#pragma once

#include <string>
#include <vector>

namespace thalweg {

/// Runs a program that is found on PATH to its end and returns its standard output; what it says on standard error is
/// seen as it comes. For one rank. Throws ConfigError when there is no such program, or it ends with another code than 0.
std::string run_client(const std::vector<std::string>& words);

/// Those of the jobs that squeue knows, an array by its tasks; none where there is no Slurm to ask. For one rank.
std::vector<std::string> jobs_in_queue(const std::vector<std::string>& ids);

/// A job that was submitted from a results folder.
struct SubmittedJob {
  std::string stage;  ///< number in a chain, from 1
  std::string command;
  std::string id;
};

/// chain.tsv: the jobs that were submitted last from a results folder.
std::string submitted_tsv(const std::vector<SubmittedJob>& jobs);
/// Reads it. Throws DataError when there is none.
std::vector<SubmittedJob> read_submitted(const std::string& path);

}  // namespace thalweg
