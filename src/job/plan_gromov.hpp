// The plan of an alignment: the shape of its problem, and the memory that follows.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan_items.hpp"

namespace thalweg {

/// Reads sizes alone, and decides whether costs within the sides are stored or factors: with gromov.storage = "auto"
/// stored unless that does not fit into memory. Collective.
/// @throws DataError for other than two sides, matrices that are not in the file, a coupling too large to be written
PlanInput gromov_input(const Communicator& comm, const JobContext& context);

void add_gromov(const PlanInput& input, std::int64_t num_ranks, Collector& items);

}  // namespace thalweg
