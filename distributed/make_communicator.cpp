// The one place that chooses a transport.
#include <mpi.h>

#include <map>
#include <optional>
#include <utility>

#include "distributed/communicator.hpp"
#include "distributed/device.hpp"
#include "distributed/mpi_communicator.hpp"
#include "distributed/rank_texts.hpp"
#if THALWEG_ENABLE_NCCL
#include "distributed/nccl_communicator.hpp"
#endif

namespace thalweg {

namespace {

/// Why no two ranks could talk by NCCL; nothing where they can.
std::optional<std::string> obstacle_to_nccl(const Communicator& comm, int device) {
  if (comm.any(device < 0)) return "not every rank computes on a GPU";
  std::map<std::string, int> first;
  const std::vector<std::string> places = texts_of_ranks(comm, host_name() + " " + device_id());
  for (int rank = 0; rank < comm.size(); ++rank) {
    const auto [other, is_new] = first.emplace(places[static_cast<std::size_t>(rank)], rank);
    if (!is_new)
      return "ranks " + std::to_string(other->second) + " and " + std::to_string(rank) + " share the GPU " +
             other->first;
  }
  return {};
}

#if THALWEG_ENABLE_NCCL
std::unique_ptr<Communicator> by_nccl(std::unique_ptr<Communicator> over, const Transport& transport) {
  return make_nccl_communicator(*over, transport);
}
#else
std::unique_ptr<Communicator> by_nccl(std::unique_ptr<Communicator> over, const Transport&) {
  over->set_note("this program was built without NCCL");
  return over;
}
#endif

}  // namespace

std::unique_ptr<Communicator> make_world_communicator(const Transport& transport) {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (!is_initialized) return make_self_communicator();
  auto comm = make_mpi_communicator(MPI_COMM_WORLD);
  const bool wants_nccl =
      transport.choice == "nccl" || (transport.choice == "auto" && comm->any(transport.device >= 0));
  if (comm->size() == 1 || !wants_nccl) return comm;
  if (const auto obstacle = obstacle_to_nccl(*comm, transport.device)) comm->set_note(*obstacle);
  else comm = by_nccl(std::move(comm), transport);
  if (transport.choice == "nccl" && comm->name() != "nccl")
    throw DataError("run.communicator = \"nccl\" cannot be had: " + comm->note() + "; set it to auto or mpi");
  return comm;
}

}  // namespace thalweg
