// The communicator on top of MPI's C interface.
#pragma once

#include <mpi.h>

#include <memory>

#include "distributed/communicator.hpp"

namespace thalweg {

/// Wraps a duplicate of `parent`, freed with the communicator.
std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm parent);

/// The MPI handle behind `comm`; MPI_COMM_NULL for the self communicator.
MPI_Comm mpi_handle(const Communicator& comm);

}  // namespace thalweg
