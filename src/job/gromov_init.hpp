// The coupling that an alignment is told to begin from.
#pragma once

#include "job/transport_sides.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Reads gromov.init: the results of an earlier alignment (their folder, result.h5ad or result_source.h5ad: the largest
/// entries of rows, or all of them), a file of `thalweg export`, or a .tsv with columns source, target and mass. Cells
/// are looked up by name. Rows get the weight of their cells, and what is left the mass 1. Every rank gets all.
/// Collective. @param sides   with weights of sum 1 each
/// @throws DataError for files that hold no coupling, cells that the job has not, names that occur twice, masses that
/// are negative or not finite, no mass at all
CouplingEntries read_start_coupling(const Communicator& comm, const Job& job, const TransportSides& sides);

/// At most so many entries does gromov.init have, judging by sizes alone. Collective.
std::int64_t most_start_entries(const Communicator& comm, const Job& job);

}  // namespace thalweg
