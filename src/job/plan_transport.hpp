// The plan of transport: the shape of its problem, and the memory that follows.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan_items.hpp"

namespace thalweg {

/// Reads sizes alone. Collective. @throws DataError for sides that do not fit together
PlanInput transport_input(const Communicator& comm, const JobContext& context);

/// The cells of both sides and their packed points.
void add_sides(const PlanInput& input, std::int64_t num_ranks, Collector& items);

void add_transport(const PlanInput& input, std::int64_t num_ranks, Collector& items);

}  // namespace thalweg
