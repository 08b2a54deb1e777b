// Requests to stop early: signals of the user or the scheduler, and the limits of the job.
#pragma once

#include <cstdint>
#include <optional>

#include "core/stop_reason.hpp"

namespace thalweg {

/// SIGUSR1, SIGTERM and SIGINT set a flag; a second SIGTERM or SIGINT ends the process at once with
/// 128 + signal. To be called first in main: until then SIGUSR1 kills.
void install_stop_handlers();

/// True once this rank has received a signal. Ranks differ: reduce it before deciding on it.
bool stop_requested();
/// Sets or clears the flag, as a signal would.
void set_stop_requested(bool requested);

/// Limits of a run; 0 means none.
struct StopLimits {
  double max_wall_s = 0.0;
  std::int64_t stop_after_iterations = 0;
};

/// Why this rank would stop now, if it would: `interrupted` after a signal or `stop_after_iterations`,
/// `time_limit` after `max_wall_s`. Clocks and flags of ranks differ: all-reduce before acting on it.
std::optional<StopReason> local_stop_reason(const StopLimits& limits, double elapsed_s, std::int64_t iteration);

}  // namespace thalweg
