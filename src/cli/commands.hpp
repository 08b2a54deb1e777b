// The commands of the program.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// What a command takes as its argument.
enum class Takes { job, file, section, results };

/// A command runs on all ranks and returns the exit code; it throws Errors, on all ranks alike.
using RunFunction = int (*)(const Communicator& comm, const JobContext& context);

struct Command {
  std::string name;
  Takes takes = Takes::job;
  std::string meaning;
  std::vector<std::string> sections;  ///< tables that it reads
  RunFunction run = nullptr;          ///< null: the job is only checked (--dry-run)
};

/// The registry: one line a command.
const std::vector<Command>& commands();

/// The command of that name. Throws ConfigError: unknown name with the nearest one, or not in this version.
const Command& find_command(const std::string& name);

/// `thalweg submit job.toml [--print] [--dry-run] [--cancel]`: the batch script of a job, to Slurm or to stdout.
int run_submit(const Communicator& comm, const JobContext& context);

/// `thalweg describe [section] [--markdown]`: the keys, on stdout.
int run_describe(const Communicator& comm, const JobContext& context);

}  // namespace thalweg
