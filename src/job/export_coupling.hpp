// A coupling as a matrix in a file, from potentials, a tile of rows at a time.
#pragma once

#include <string>

#include "job/coupling_file.hpp"
#include "job/job_session.hpp"
#include "job/transport_sides.hpp"
#include "solvers/sinkhorn_options.hpp"

namespace thalweg {

/// Rows of `num_columns` that are in memory at a time: 16 MiB of them, with wide rows one a thread up to 64 MiB.
std::int64_t rows_of_export_tile(std::int64_t num_columns, std::int64_t num_threads);

/// @throws DataError for dense matrices above 4 GiB; to be asked before anything is computed
void check_dense_size(std::int64_t num_rows, std::int64_t num_columns);

/// Writes tmaps/PREFIX_SOURCE_TARGET.h5ad into the results directory: X = n P in float64, rows and columns named as the
/// cells of the input. P is computed in float64 whatever the precision of the solve. Collective.
/// @param sides  the cells of the coupling, with features; weights are taken from the coupling
/// @throws DataError for names that occur twice
void export_coupling(JobSession& session, const JobContext& context, const SinkhornOptions& solver, const TransportSides& sides,
                     const StoredCoupling& coupling);

}  // namespace thalweg
