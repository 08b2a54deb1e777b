// The communicator of ranks that each have a device of their own: small messages by MPI, large ones by NCCL.
#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace thalweg {

/// The ranks of `over`, which goes by MPI; each has bound a device that no other of them has. Solvers' values lie in
/// host memory: a large message is copied to the device, travels between devices and is copied back.
/// A first gather is compared with what it has to bring: where GPUs are wrongly connected NCCL may bring anything.
/// Where NCCL cannot be started or fails that test on any rank it is MPI alone, and `note` says why. Collective.
std::unique_ptr<Communicator> make_nccl_communicator(const Communicator& over, const Transport& transport);

}  // namespace thalweg
