#include "core/stop_request.hpp"

#include <unistd.h>

#include <csignal>

namespace thalweg {

namespace {

volatile std::sig_atomic_t requested_flag = 0;
volatile std::sig_atomic_t num_end_signals = 0;

void on_signal(int signal) {
  if (signal != SIGUSR1) {
    if (num_end_signals != 0) _exit(128 + signal);
    num_end_signals = 1;
  }
  requested_flag = 1;
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

bool stop_requested() { return requested_flag != 0; }

void set_stop_requested(bool requested) { requested_flag = requested ? 1 : 0; }

std::optional<StopReason> local_stop_reason(const StopLimits& limits, double elapsed_s, std::int64_t iteration) {
  if (stop_requested()) return StopReason::interrupted;
  if (limits.stop_after_iterations > 0 && iteration >= limits.stop_after_iterations) return StopReason::interrupted;
  if (limits.max_wall_s > 0.0 && elapsed_s >= limits.max_wall_s) return StopReason::time_limit;
  return std::nullopt;
}

}  // namespace thalweg
