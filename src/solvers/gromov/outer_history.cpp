#include "solvers/gromov/outer_history.hpp"

#include <utility>

#include "distributed/part_checkpoint.hpp"

namespace thalweg {

void OuterHistory::watch(const GromovObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

std::optional<StopReason> OuterHistory::ask(const char* stage, const VisitState& visit) {
  if (!std::exchange(is_asked_, true)) return {};
  const StepRequest request = shared_request(comm_, stop_check_ ? stop_check_() : std::nullopt, checkpoint_);
  if (checkpoint_ != nullptr && request.wants_state()) checkpoint_->save(stage, request.stop.has_value(), visit);
  return request.stop;
}

SinkhornSolution OuterHistory::solve(const Context& context, const SinkhornProblem& inner, const GromovSettings& settings,
                                     double tolerance, const Around& around) {
  SinkhornSettings how;
  how.tolerance = tolerance;
  how.max_iterations = settings.inner_iterations;
  how.certify = false;
  how.solves_stopped = true;  // the result so far is a coupling
  std::optional<PartCheckpoint> part;
  if (checkpoint_ != nullptr) how.checkpoint = &part.emplace(*checkpoint_, around.stage, around.visit, is_solving_);
  is_solving_ = true;
  SinkhornSolution solution = solve_sinkhorn(context, inner, how, {}, stop_check_);
  is_solving_ = false;
  return solution;
}

void OuterHistory::record(GromovRecord step, const LinearisedCoupling& coupling) {
  step.outer = ++solution_.outer;
  step.inner = coupling.inner.evaluations;
  step.epsilon = coupling.inner.epsilon;
  step.energy = coupling.at.energy;
  step.energy_gw = coupling.at.energy_gw;
  step.energy_linear = coupling.at.energy_linear;
  step.relative_entropy = coupling.inner.relative_entropy;
  step.error_target = coupling.inner.error_target;
  step.seconds = seconds();
  solution_.history.push_back(step);
  if (observer_) observer_(step);
}

GromovSolution OuterHistory::end(StopReason reason, FusedUnits units, double primal, LinearisedCoupling& last,
                                 bool keeps_linear) {
  solution_.history.back().stop_reason = reason;
  solution_.stop_reason = reason;
  solution_.energy = last.at.energy;
  solution_.energy_gw = last.at.energy_gw;
  solution_.energy_linear = last.at.energy_linear;
  solution_.alpha = problem_.alpha;
  solution_.epsilon = problem_.epsilon;
  solution_.units = units;
  solution_.primal = primal;
  solution_.coupling = std::move(last.inner);
  solution_.geometry = std::move(last.geometry);
  solution_.generator = std::move(last.linear);
  if (keeps_linear) solution_.linear = std::move(last.at.linear);
  solution_.seconds = seconds();
  return std::move(solution_);
}

void OuterHistory::visit_state(StateVisitor& v) {
  v.scalar("gap", solution_.gap);
  v.scalar("outer", solution_.outer);
  v.scalar("evaluations", solution_.evaluations);
  v.scalar("is_solving", is_solving_);
  visit_history(v, solution_.history);
  double passed = seconds();
  v.scalar("seconds", passed);
  if (v.is_restoring())
    begin_ = Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(passed));
}

}  // namespace thalweg
