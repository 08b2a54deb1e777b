#include "solvers/hm_ot/stop_poll.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace thalweg {

std::optional<StopReason> StopPoll::together() {
  ask_own();
  exchange(false);
  return reason_;
}

StepRequest StopPoll::request(const Checkpoint* checkpoint, bool at_boundary) {
  ask_own();
  const StepRequest request = shared_request(comm_, reason_, checkpoint, at_boundary);
  if (request.stop) reason_ = request.stop;
  return request;
}

void StopPoll::ask_own() {
  if (!reason_ && own_) reason_ = own_();
}

std::optional<StopReason> StopPoll::ask_apart(int sweeps) {
  ask_own();
  sweeps_ += sweeps;
  if (!reason_ && sweeps_ >= sweeps_between_exchanges) exchange(true);  // a reason is told by wait_for_others
  return reason_;
}

bool StopPoll::exchange(bool is_working) {
  sweeps_ = 0;
  std::array<std::int32_t, 2> shared{reason_ ? static_cast<std::int32_t>(*reason_) : -1, is_working ? 1 : 0};
  comm_.all_reduce(std::span<std::int32_t>(shared), Reduction::max);
  if (shared[0] >= 0) reason_ = static_cast<StopReason>(shared[0]);
  return shared[1] != 0;
}

void StopPoll::wait_for_others() {
  while (exchange(false)) {
  }
}

}  // namespace thalweg
