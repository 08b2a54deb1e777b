// A plan against the memory there is: the table, the verdict, the cures.
#pragma once

#include <string>

#include "distributed/communicator.hpp"
#include "job/memory_limit.hpp"
#include "job/plan.hpp"
#include "job/run_options.hpp"

namespace thalweg {

/// Items of every phase, their sums, the budget, the largest problem that fits and the cost of a pass.
std::string plan_text(const PlanInput& input, std::int64_t num_ranks, const MemoryBudget& budget);

/// Empty where the job fits; else one line with what is needed, what there is, and the cures.
std::string shortage_text(const PlanInput& input, std::int64_t num_ranks, const MemoryBudget& budget);

/// Lets the points of transport stay on the ranks that own their cells where the user leaves the form open and whole
/// sides do not fit into the budget. Collective.
PlanInput with_form(const Communicator& comm, PlanInput input, const RunOptions& run);

/// Where the job does not fit: logs the table and throws MemoryError, on all ranks alike, with the shortage. To be
/// called before anything large is allocated. Collective.
void check_memory(const Communicator& comm, const PlanInput& input, const RunOptions& run);

}  // namespace thalweg
