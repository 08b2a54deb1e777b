// How a solver learns that it was told to stop.
#pragma once

#include <functional>
#include <optional>

#include "core/stop_reason.hpp"
#include "distributed/checkpoint.hpp"
#include "distributed/communicator.hpp"

namespace thalweg {

/// Asked on every rank whether this rank was told to stop, by a signal or a limit.
using StopCheck = std::function<std::optional<StopReason>()>;

/// The reason of any rank, on all; the largest where there are several. Collective.
/// @param own   of this rank
std::optional<StopReason> shared_stop(const Communicator& comm, std::optional<StopReason> own);

/// What all ranks do at a point where the state of a solve is whole.
struct StepRequest {
  std::optional<StopReason> stop;
  bool is_save_due = false;

  bool wants_state() const { return stop || is_save_due; }
};

/// Stop where any rank was told to; else save where any rank finds it due. Collective, at the price of `shared_stop`.
/// @param checkpoint   may be null
StepRequest shared_request(const Communicator& comm, std::optional<StopReason> own, const Checkpoint* checkpoint,
                           bool at_boundary = false);

}  // namespace thalweg
