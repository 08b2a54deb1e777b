// Files of a transport job.
#pragma once

#include "job/coupling_file.hpp"
#include "job/job_session.hpp"
#include "job/transport_cells.hpp"
#include "job/transport_tables.hpp"

namespace thalweg {

/// The coupling with everything that regenerates it, the same on all ranks. Collective.
StoredCoupling stored_coupling(const Communicator& comm, const Job& job, const TransportResult& result);

/// Hexadecimal fingerprint of the features of a side, as it was read.
std::string fingerprint_of_features(const TransportSides& sides, const CellSide& side);

/// Writes potentials, per-cell results, tables and plots: everything but run.json. Collective.
void write_transport_results(JobSession& session, const JobContext& context, const TransportResult& result,
                             const TransportCells& cells, const StoredCoupling& coupling);

/// Logs the outcome and warns where a user should look.
void log_transport(const TransportResult& result);

}  // namespace thalweg
