// The shape of a job's problem, from its settings and from descriptions in its input files.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan.hpp"

namespace thalweg {

/// Reads attributes, and of the cells only the columns of time and filter. Throws DataError and ConfigError where the
/// job could not run: missing files and keys, times without cells, sides that are not two. Collective.
PlanInput read_plan_input(const Communicator& comm, const JobContext& context);

}  // namespace thalweg
