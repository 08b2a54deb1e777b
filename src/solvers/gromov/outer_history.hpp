// The steps of an outer iteration as they are recorded, shown and returned.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// What the loops of outer_loop.hpp and unbalanced_loop.hpp note down.
class OuterHistory {
 public:
  OuterHistory(const Communicator& comm, const GromovProblem& problem) : comm_(comm), problem_(problem) {}
  void watch(const GromovObserver& observer, const StopCheck& stop_check);

  const StopCheck& stop_check() const { return stop_check_; }
  /// The reason of any rank that was told to stop. Collective.
  std::optional<StopReason> stop_request() const;

  void add_evaluations(const SinkhornSolution& inner) { solution_.evaluations += inner.evaluations; }
  void set_gap(double gap) { solution_.gap = gap; }

  /// A step and the coupling that it ended at. @param step   level, F, gap, t, change and whether it was taken
  void record(GromovRecord step, const SinkhornSolution& inner, const Linearisation& at);

  /// The end: all that is known of the last coupling, whose potentials and geometry are moved out.
  /// @param keeps_linear   K(P) too
  GromovSolution end(StopReason reason, FusedUnits units, double primal, SinkhornSolution& inner, Linearisation& at,
                     std::shared_ptr<PairGeometry>& geometry, bool keeps_linear);

 private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

  const Communicator& comm_;
  const GromovProblem& problem_;
  GromovObserver observer_;
  StopCheck stop_check_;
  GromovSolution solution_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace thalweg
