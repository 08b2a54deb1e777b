// The plan of an alignment of two surfaces, beside that of the vertices that are solved.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan_items.hpp"

namespace thalweg {

/// Reads sizes alone. Collective.
PlanInput shape_input(const Communicator& comm, const JobContext& context);

/// Nothing for sides that are no surfaces.
void add_shapes(const PlanInput& input, Collector& items);

}  // namespace thalweg
