// The plan of trained encoders: the shape of the problem, and the memory that follows.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/plan_items.hpp"

namespace thalweg {

/// Reads sizes alone. Collective. @throws what gromov_input does
PlanInput embed_train_input(const Communicator& comm, const JobContext& context);

/// The same of one side or both that encoders are applied to.
PlanInput embed_apply_input(const Communicator& comm, const JobContext& context);

/// What encoders need besides the alignment that they are fitted to.
void add_embed_train(const PlanInput& input, Collector& items);

void add_embed_apply(const PlanInput& input, std::int64_t num_ranks, Collector& items);

}  // namespace thalweg
