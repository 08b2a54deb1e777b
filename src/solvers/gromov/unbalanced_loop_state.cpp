// What the outer iteration of unbalanced problems goes on from after it was interrupted.
#include "solvers/gromov/unbalanced_loop.hpp"

namespace thalweg {

UnbalancedLoop::Stop UnbalancedLoop::ask() {
  return history_.ask(stage(), [this](StateVisitor& v) { visit_state(v); });
}

bool UnbalancedLoop::restore() {
  Checkpoint* const checkpoint = settings_.checkpoint;
  if (checkpoint == nullptr || !checkpoint->restore([this](StateVisitor& v) { visit_state(v); })) return false;
  if (!now_.is_annealing) state_.geometry = geometry_as_left(*cost_, state_.linear, state_.inner);
  return true;
}

void UnbalancedLoop::visit_state(StateVisitor& v) {
  const CouplingShape shape = coupling_shape(context_, problem_);
  v.part("position", [&] { now_.visit_state(v); });
  v.part("steps", [&] { history_.visit_state(v); });
  if (!now_.is_annealing) v.part("linear", [&] { visit_linear(v, shape, state_.linear); });
  v.part("next_linear", [&] { visit_linear(v, shape, state_.at.linear); });
  v.part("coupling", [&] { visit_solution(v, shape, state_.inner); });
  v.part("at", [&] { visit_energies(v, state_.at); });
  v.scalar("constant", state_.constant);
  v.scalar("joint", state_.joint);
  v.scalar("rows", state_.rows);
  v.scalar("columns", state_.columns);
  v.scalar("primal", state_.primal);
  v.scalar("least", state_.least);
  v.scalar("tolerance", state_.tolerance);
  v.scalar("is_tight", state_.is_tight);
}

SinkhornSolution UnbalancedLoop::solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g) {
  SinkhornProblem inner;
  inner.geometry = &geometry;
  inner.a = problem_.a;
  inner.b = problem_.b;
  inner.epsilon = epsilon;
  inner.lambda1 = problem_.rho_1;
  inner.lambda2 = problem_.rho_2;
  inner.initial_g = std::move(g);
  return history_.solve(context_, inner, settings_, now_.inner_tolerance, {stage(), [this](StateVisitor& v) { visit_state(v); }});
}

}  // namespace thalweg
