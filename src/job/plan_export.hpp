// The plan of export.
#pragma once

#include "job/job_context.hpp"
#include "job/plan_items.hpp"
#include "job/result_of_job.hpp"

namespace thalweg {

/// Shape of the coupling that an export reads. Collective.
PlanInput export_plan_input(const Communicator& comm, const JobContext& context, const ResultOfJob& result);

void add_export(const PlanInput& input, std::int64_t num_ranks, Collector& items);

/// What the writing of rows needs beside the coupling, also at the end of a transport job.
void add_exported_rows(const PlanInput& input, Collector& items);

}  // namespace thalweg
