// The plan of an alignment of slices, beside that of one pair of them.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan_items.hpp"

namespace thalweg {

/// Reads sizes alone: the slices, the largest first. Collective.
PlanInput align_input(const Communicator& comm, const JobContext& context);

void add_align(const PlanInput& input, Collector& items);

}  // namespace thalweg
