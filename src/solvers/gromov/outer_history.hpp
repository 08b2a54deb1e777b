// The steps of an outer iteration as they are recorded, shown and returned.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "solvers/gromov/outer_state.hpp"

namespace thalweg {

/// What the loops of outer_loop.hpp and unbalanced_loop.hpp note down, and when they save or stop.
class OuterHistory {
 public:
  /// @param checkpoint   may be null
  OuterHistory(const Communicator& comm, const GromovProblem& problem, Checkpoint* checkpoint)
      : comm_(comm), problem_(problem), checkpoint_(checkpoint) {}
  void watch(const GromovObserver& observer, const StopCheck& stop_check);

  /// The reason of any rank that was told to stop; saves what `visit` lists where that is due. The first call of a run
  /// asks nothing, so that every run comes further. Collective.
  std::optional<StopReason> ask(const char* stage, const VisitState& visit);

  /// What keeps the state around a linear problem.
  struct Around {
    const char* stage;
    VisitState visit;
  };
  /// A linear problem of the iteration, to `tolerance`; its state is kept within that of the iteration. Collective.
  SinkhornSolution solve(const Context& context, const SinkhornProblem& inner, const GromovSettings& settings,
                         double tolerance, const Around& around);

  void add_evaluations(const SinkhornSolution& inner) { solution_.evaluations += inner.evaluations; }
  void set_gap(double gap) { solution_.gap = gap; }

  /// A step and the coupling that it ended at. @param step   level, F, gap, t, change and whether it was taken
  void record(GromovRecord step, const LinearisedCoupling& coupling);

  /// The end: all that is known of the last coupling, out of which its parts are moved.
  /// @param keeps_linear   K(P) too
  GromovSolution end(StopReason reason, FusedUnits units, double primal, LinearisedCoupling& last, bool keeps_linear);

  void visit_state(StateVisitor& v);

 private:
  using Clock = std::chrono::steady_clock;
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  const Communicator& comm_;
  const GromovProblem& problem_;
  Checkpoint* checkpoint_;
  GromovObserver observer_;
  StopCheck stop_check_;
  GromovSolution solution_;
  bool is_asked_ = false;
  bool is_solving_ = false;  // a linear problem; of a state that was restored: it has that solve
  Clock::time_point begin_ = Clock::now();
};

}  // namespace thalweg
