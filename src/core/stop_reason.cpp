#include "core/stop_reason.hpp"

namespace thalweg {

std::string name_of(StopReason reason) {
  switch (reason) {
    case StopReason::converged:
      return "converged";
    case StopReason::max_iterations:
      return "max_iterations";
    case StopReason::inner_max_iterations:
      return "inner_max_iterations";
    case StopReason::stagnated:
      return "stagnated";
    case StopReason::nonfinite:
      return "nonfinite";
    case StopReason::non_monotone:
      return "non_monotone";
    case StopReason::collapsed:
      return "collapsed";
    case StopReason::time_limit:
      return "time_limit";
    case StopReason::interrupted:
      return "interrupted";
  }
  return "nonfinite";
}

int exit_code_of(StopReason reason, bool allow_unconverged) {
  switch (reason) {
    case StopReason::converged:
      return 0;
    case StopReason::time_limit:
    case StopReason::interrupted:
      return 5;
    default:
      return allow_unconverged ? 0 : 4;
  }
}

}  // namespace thalweg
