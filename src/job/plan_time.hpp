// The time that a job is predicted to take on a described machine, for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "job/machine_options.hpp"
#include "job/plan.hpp"

namespace thalweg {

/// Reads the table [machine] of a file as bench_calibrate writes it. Throws ConfigError as for a job file. Collective.
MachineOptions read_machine(const Communicator& comm, const std::string& path);

/// For each number of ranks: seconds of an iteration, its parts, efficiency against one rank, and seconds of a whole solve
/// of a number of iterations that is named. Throws ConfigError where the command has no model.
std::string time_text(const PlanInput& input, const MachineOptions& machine, const std::vector<std::int64_t>& ranks);

}  // namespace thalweg
