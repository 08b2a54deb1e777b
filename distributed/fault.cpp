#include "distributed/fault.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace thalweg {

namespace {

/// THALWEG_FAULT, taken apart.
struct Fault {
  std::string point, rank, action;
};

const Fault& requested_fault() {
  static const Fault fault = [] {
    const char* given = std::getenv("THALWEG_FAULT");
    Fault parts{given == nullptr ? "" : given, "", "kill"};
    if (const std::size_t colon = parts.point.rfind(':'); colon != std::string::npos) {
      parts.action = parts.point.substr(colon + 1);
      parts.point.resize(colon);
    }
    if (const std::size_t at = parts.point.rfind('@'); at != std::string::npos) {
      parts.rank = parts.point.substr(at + 1);
      parts.point.resize(at);
    }
    return parts;
  }();
  return fault;
}

void act(const Fault& fault) {
  if (fault.action == "throw") throw std::runtime_error("fault at " + fault.point);
  if (fault.action == "hang")
    while (true) pause();
  std::raise(SIGKILL);
}

}  // namespace

#ifdef THALWEG_ENABLE_FAULTS
bool has_fault_points() { return true; }
#else
bool has_fault_points() { return false; }
#endif

void fault_point(std::string_view point, int rank) {
  if (!has_fault_points()) return;
  const Fault& fault = requested_fault();
  if (fault.point == point && (fault.rank.empty() || fault.rank == std::to_string(rank))) act(fault);
}

void fault_at_iteration(std::int64_t iteration, int rank) {
  if (has_fault_points() && requested_fault().point.starts_with("solve."))
    fault_point("solve.iteration=" + std::to_string(iteration), rank);
}

}  // namespace thalweg
