// The first lines of a run.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// Logs version, ranks, device, communicator, threads, and the keys that differ from their defaults.
void log_run_header(const Communicator& comm, const JobContext& context);

}  // namespace thalweg
