#include "solvers/gromov/outer_history.hpp"

namespace thalweg {

void OuterHistory::watch(const GromovObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

std::optional<StopReason> OuterHistory::stop_request() const {
  return shared_stop(comm_, stop_check_ ? stop_check_() : std::nullopt);
}

void OuterHistory::record(GromovRecord step, const SinkhornSolution& inner, const Linearisation& at) {
  step.outer = ++solution_.outer;
  step.inner = inner.evaluations;
  step.epsilon = inner.epsilon;
  step.energy = at.energy;
  step.energy_gw = at.energy_gw;
  step.energy_linear = at.energy_linear;
  step.relative_entropy = inner.relative_entropy;
  step.error_target = inner.error_target;
  step.seconds = seconds();
  solution_.history.push_back(step);
  if (observer_) observer_(step);
}

GromovSolution OuterHistory::end(StopReason reason, FusedUnits units, double primal, SinkhornSolution& inner,
                                 Linearisation& at, std::shared_ptr<PairGeometry>& geometry, bool keeps_linear) {
  solution_.history.back().stop_reason = reason;
  solution_.stop_reason = reason;
  solution_.energy = at.energy;
  solution_.energy_gw = at.energy_gw;
  solution_.energy_linear = at.energy_linear;
  solution_.alpha = problem_.alpha;
  solution_.epsilon = problem_.epsilon;
  solution_.units = units;
  solution_.primal = primal;
  solution_.coupling = std::move(inner);
  solution_.geometry = std::move(geometry);
  if (keeps_linear) solution_.linear = std::move(at.linear);
  solution_.seconds = seconds();
  return std::move(solution_);
}

}  // namespace thalweg
