// The reason of a run in parts.
#pragma once

#include "core/stop_reason.hpp"

namespace thalweg {

/// Of two parts of a run: that which was told to stop, else the first that did not converge.
constexpr StopReason worse_of(StopReason first, StopReason second) {
  return first == StopReason::converged || is_stop_request(second) ? second : first;
}

}  // namespace thalweg
