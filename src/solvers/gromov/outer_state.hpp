// What outer iterations are about, and what they go on from after they were interrupted.
#pragma once

#include "distributed/state_visitor.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// A coupling, the linear problem that it solves, and E about it.
struct LinearisedCoupling {
  LinearCost linear;  // K
  std::shared_ptr<PairGeometry> geometry;
  SinkhornSolution inner;
  Linearisation at;  // K(P), E(P)
};

/// Where an outer iteration stands, before a linear problem that it is about to solve.
struct OuterPosition {
  bool is_annealing = true;
  bool is_tightening = false;  // that problem is the one of the present coupling, to the final tolerance
  double epsilon = 0.0;        // of it, while annealing
  std::int64_t level = 0;
  std::int64_t outer = 0;        // steps at the final epsilon
  double step = 1.0;             // t
  std::int64_t since_full = 0;   // steps since the last of t = 1
  double inner_tolerance = 0.0;  // at present
  bool keeps_last = true;        // while a step is tried: the cost before it

  void visit_state(StateVisitor& v);
};

/// Sizes of a coupling: the rows that this rank owns, and all columns.
struct CouplingShape {
  RowRange rows;
  std::int64_t num_columns = 0;
};
CouplingShape coupling_shape(const Context& context, const GromovProblem& problem);

/// Stored ones by tiles of rows, where they lie.
void visit_linear(StateVisitor& v, const CouplingShape& shape, LinearCost& linear);

/// Potentials, sums and values; no history.
void visit_solution(StateVisitor& v, const CouplingShape& shape, SinkhornSolution& solution);

/// The numbers about a linearisation, not its cost.
void visit_energies(StateVisitor& v, Linearisation& at);

void visit_history(StateVisitor& v, std::vector<GromovRecord>& history);

/// All but the geometry.
void visit_solution(StateVisitor& v, const CouplingShape& shape, GromovSolution& solution);

/// The geometry that a solution of a linear problem was left with.
std::shared_ptr<PairGeometry> geometry_as_left(const QuadraticCost& cost, const LinearCost& linear,
                                               const SinkhornSolution& inner);

}  // namespace thalweg
