// What the outer iteration goes on from after it was interrupted.
#include "solvers/gromov/outer_loop.hpp"
#include "solvers/gromov/row_softmin.hpp"

namespace thalweg {

OuterLoop::Stop OuterLoop::ask() {
  return history_.ask(stage(), [this](StateVisitor& v) { visit_state(v); });
}

bool OuterLoop::restore() {
  Checkpoint* const checkpoint = settings_.checkpoint;
  if (checkpoint == nullptr || !checkpoint->restore([this](StateVisitor& v) { visit_state(v); })) return false;
  if (needs_cost()) state_.geometry = geometry_as_left(*cost_, state_.linear, state_.inner);
  return true;
}

/// Of the present coupling: to come back to it, or to solve its linear problem again.
bool OuterLoop::needs_cost() const { return now_.is_tightening || (now_.keeps_last && !now_.is_annealing); }

void OuterLoop::visit_state(StateVisitor& v) {
  const CouplingShape shape = coupling_shape(context_, problem_);
  v.part("position", [&] { now_.visit_state(v); });
  v.part("steps", [&] { history_.visit_state(v); });
  if (needs_cost()) v.part("linear", [&] { visit_linear(v, shape, state_.linear); });
  if (!now_.is_tightening) v.part("next_linear", [&] { visit_linear(v, shape, state_.at.linear); });
  v.part("coupling", [&] { visit_solution(v, shape, state_.inner); });
  v.part("at", [&] { visit_energies(v, state_.at); });
  v.scalar("reach", state_.reach);
  v.scalar("tolerance", state_.tolerance);
  v.scalar("is_tight", state_.is_tight);
  v.scalar("is_proximal", state_.is_proximal);
  v.replicated("prices", state_.prices);
  v.scalar("correction", state_.correction);
}

SinkhornSolution OuterLoop::solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g) {
  if (problem_.mode == GromovMode::semi_relaxed) return row_softmin(context_, problem_, geometry, epsilon);
  SinkhornProblem inner;
  inner.geometry = &geometry;
  inner.a = problem_.a;
  inner.b = problem_.b;
  inner.epsilon = epsilon;
  inner.initial_g = std::move(g);
  return history_.solve(context_, inner, settings_, now_.inner_tolerance, {stage(), [this](StateVisitor& v) { visit_state(v); }});
}

}  // namespace thalweg
