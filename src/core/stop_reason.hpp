// Why a solver stopped; there are no other reasons.
#pragma once

#include <string>

namespace thalweg {

enum class StopReason {
  converged,  ///< finite values and the test met
  max_iterations,
  inner_max_iterations,
  stagnated,
  nonfinite,
  non_monotone,  ///< a defect
  collapsed,     ///< coupling or embedding of rank near 1, or coupling without mass
  time_limit,    ///< run.max_wall_s
  interrupted    ///< a signal
};

/// "converged", "max_iterations", ..: the word written to files.
std::string name_of(StopReason reason);

/// Whether the solver was told to stop: a signal, or out of time.
constexpr bool is_stop_request(StopReason reason) {
  return reason == StopReason::interrupted || reason == StopReason::time_limit;
}

/// 0 converged; 5 interrupted or out of time; otherwise 4, or 0 when the job allows it.
int exit_code_of(StopReason reason, bool allow_unconverged);

}  // namespace thalweg
