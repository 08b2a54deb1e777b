// Whether ranks were told to stop, decided by all of them.
#pragma once

#include <exception>
#include <optional>

#include "core/stop_reason.hpp"
#include "distributed/communicator.hpp"
#include "solvers/stop_check.hpp"

namespace thalweg {

/// A reason to stop that any rank has is the reason of all, and stays.
///
/// Where ranks work in step they ask `together`. Where each has work of its own, of any length, it runs inside
/// `run_apart` and asks `after_sweep` and `after_start`: the rank's own reason is known at once, that of another
/// rank after at most `sweeps_between_exchanges` of them. Ranks that are done answer until all are.
class StopPoll {
 public:
  static constexpr int sweeps_between_exchanges = 8;

  StopPoll(const Communicator& comm, StopCheck own) : comm_(comm), own_(std::move(own)) {}
  StopPoll(const StopPoll&) = delete;
  StopPoll& operator=(const StopPoll&) = delete;

  /// The reason so far; the same on all ranks outside of `run_apart`.
  std::optional<StopReason> reason() const { return reason_; }

  /// Collective.
  std::optional<StopReason> together();
  /// The same, and whether it is time to save the state. @param checkpoint   may be null
  StepRequest request(const Checkpoint* checkpoint, bool at_boundary);

  /// Runs `work` on every rank; if it throws on any, all throw. Collective.
  template <class Work>
  void run_apart(Work&& work) {
    comm_.on_all([&] {
      std::exception_ptr failure;
      try {
        work();
      } catch (...) {
        failure = std::current_exception();
      }
      wait_for_others();
      if (failure) std::rethrow_exception(failure);
    });
  }

  /// Inside `run_apart`, between sweeps and between whole starts.
  std::optional<StopReason> after_sweep() { return ask_apart(1); }
  std::optional<StopReason> after_start() { return ask_apart(sweeps_between_exchanges); }

 private:
  void ask_own();
  std::optional<StopReason> ask_apart(int sweeps);
  /// Shares the reasons. @return whether a rank is still at work
  bool exchange(bool is_working);
  void wait_for_others();

  const Communicator& comm_;
  StopCheck own_;
  std::optional<StopReason> reason_;
  int sweeps_ = 0;  // since the last exchange
};

}  // namespace thalweg
