#include "solvers/stop_check.hpp"

#include <cstdint>

namespace thalweg {

std::optional<StopReason> shared_stop(const Communicator& comm, std::optional<StopReason> own) {
  const auto code = comm.all_reduce(own ? static_cast<std::int32_t>(*own) : std::int32_t{-1}, Reduction::max);
  if (code < 0) return {};
  return static_cast<StopReason>(code);
}

}  // namespace thalweg
