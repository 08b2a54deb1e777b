#include "solvers/stop_check.hpp"

#include <cstdint>

namespace thalweg {

std::optional<StopReason> shared_stop(const Communicator& comm, std::optional<StopReason> own) {
  const auto code = comm.all_reduce(own ? static_cast<std::int32_t>(*own) : std::int32_t{-1}, Reduction::max);
  if (code < 0) return {};
  return static_cast<StopReason>(code);
}

StepRequest shared_request(const Communicator& comm, std::optional<StopReason> own, const Checkpoint* checkpoint, bool at_boundary) {
  constexpr std::int32_t nothing = -1, save = 0;  // any reason to stop is more
  const bool is_due = checkpoint != nullptr && checkpoint->is_due(at_boundary);
  const std::int32_t wish = own ? 1 + static_cast<std::int32_t>(*own) : is_due ? save : nothing;
  const auto decision = comm.all_reduce(wish, Reduction::max);
  StepRequest request;
  if (decision > save) request.stop = static_cast<StopReason>(decision - 1);
  request.is_save_due = decision == save;
  return request;
}

}  // namespace thalweg
