// From job file and command line to a checked job.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// The settings of a job before they are typed: the file with `--set` and `--out` laid over it.
/// Rank 0 reads the file ("-": standard input), all ranks get the values; collective.
/// Throws IoError when it cannot be read, ConfigError at a syntax error.
config::Value load_settings(const Communicator& comm, const Arguments& arguments);

/// The command that the settings name, or "".
std::string command_of(const config::Value& root);

/// Types and checks the settings; fills job, resolved and changed of the context. Throws one ConfigError
/// with all problems, one a line.
/// @param used  the tables that the command reads
void read_job(const config::Value& root, const std::vector<std::string>& used, JobContext& context);

}  // namespace thalweg
