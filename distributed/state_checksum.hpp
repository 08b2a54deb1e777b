// Whether two states of a solver are alike, without keeping either.
#pragma once

#include <cstdint>

#include "distributed/communicator.hpp"
#include "distributed/state_visitor.hpp"

namespace thalweg {

/// Checksum of what `visit` lists, the same for any number of ranks: states that are alike have the same. Collective.
std::uint64_t state_checksum(const Communicator& comm, const VisitState& visit);

}  // namespace thalweg
