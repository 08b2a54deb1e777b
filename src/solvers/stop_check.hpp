// How a solver learns that it was told to stop.
#pragma once

#include <functional>
#include <optional>

#include "core/stop_reason.hpp"
#include "distributed/communicator.hpp"

namespace thalweg {

/// Asked on every rank whether this rank was told to stop, by a signal or a limit.
using StopCheck = std::function<std::optional<StopReason>()>;

/// The reason of any rank, on all; the largest where there are several. Collective.
/// @param own   of this rank
std::optional<StopReason> shared_stop(const Communicator& comm, std::optional<StopReason> own);

}  // namespace thalweg
