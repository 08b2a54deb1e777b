// The commands hmot and lowrank.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// `thalweg hmot`: types and couplings of a time series. @return exit code
int run_hmot(const Communicator& comm, const JobContext& context);

}  // namespace thalweg
