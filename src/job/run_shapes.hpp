// `thalweg gromov` between two surfaces of triangles.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// Solves some vertices of both surfaces, extends their coupling to all, and writes the maps. On all ranks; returns the
/// exit code.
int run_shapes(const Communicator& comm, const JobContext& context);

}  // namespace thalweg
