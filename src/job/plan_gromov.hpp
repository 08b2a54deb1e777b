// The plan of an alignment: the shape of its problem, and the memory that follows.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan_items.hpp"

namespace thalweg {

/// Reads sizes alone. Collective. @throws DataError for other than two sides, or k above the number of cells
PlanInput gromov_input(const Communicator& comm, const JobContext& context);

void add_gromov(const PlanInput& input, std::int64_t num_ranks, Collector& items);

}  // namespace thalweg
