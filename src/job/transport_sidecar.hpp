// result.h5ad of a transport job: what it says of each cell, beside the input.
#pragma once

#include "job/job_session.hpp"
#include "job/transport_cells.hpp"

namespace thalweg {

/// One result.h5ad with the cells of both sides, or result_source.h5ad and result_target.h5ad where each side has a file
/// of its own. Collective.
void write_transport_sidecars(JobSession& session, const JobContext& context, const TransportSides& sides, const TransportCells& cells);

}  // namespace thalweg
