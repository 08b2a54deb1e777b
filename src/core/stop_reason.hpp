// Why a solve ended; the names that tables and run.json carry.
#pragma once

#include <string>

namespace thalweg {

enum class StopReason {
  converged,
  max_iterations,
  inner_max_iterations,
  stagnated,
  nonfinite,
  non_monotone,
  collapsed,
  time_limit,
  interrupted
};

inline std::string name_of(StopReason reason) {
  switch (reason) {
    case StopReason::converged: return "converged";
    case StopReason::max_iterations: return "max_iterations";
    case StopReason::inner_max_iterations: return "inner_max_iterations";
    case StopReason::stagnated: return "stagnated";
    case StopReason::nonfinite: return "nonfinite";
    case StopReason::non_monotone: return "non_monotone";
    case StopReason::collapsed: return "collapsed";
    case StopReason::time_limit: return "time_limit";
    case StopReason::interrupted: return "interrupted";
  }
  return "";
}

}  // namespace thalweg
