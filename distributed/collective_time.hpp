// Where the time of a communicator goes.
#pragma once

#include "distributed/communicator.hpp"

namespace thalweg {

/// Seconds that this rank has spent in collectives of `comm` so far, waiting for other ranks among them; 0 on a process on
/// its own. Local.
double seconds_in_collectives(const Communicator& comm);

}  // namespace thalweg
