// The one place that chooses a transport.
#include <mpi.h>

#include "distributed/communicator.hpp"
#include "distributed/mpi_communicator.hpp"

namespace thalweg {

std::unique_ptr<Communicator> make_world_communicator() {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  return is_initialized ? make_mpi_communicator(MPI_COMM_WORLD) : make_self_communicator();
}

}  // namespace thalweg
