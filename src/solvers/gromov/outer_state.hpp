// What the outer iteration goes on from after it was interrupted: the beginning of a step.
#pragma once

#include "distributed/state_visitor.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Counters and history at the beginning of an outer step.
struct OuterPosition {
  bool is_annealing = true;
  bool is_tightening = false;       // the step begins with the present linear problem, solved to the final tolerance
  std::optional<StopReason> ended;  // there is no further step
  std::int64_t level = 0;
  std::int64_t outer_at_end = 0;    // steps at the final epsilon
  double epsilon = 0.0;             // of the step, while annealing
  double step = 1.0;                // t
  std::int64_t since_full = 0;
  double inner_tolerance = 0.0;
  double gap = 0.0;
  std::int64_t outer = 0, evaluations = 0;
  double seconds = 0.0;
  std::vector<GromovRecord> history;

  void visit_state(StateVisitor& v);
};

/// A linear cost in float32 or float64. @param num_columns   of one that is cells x cells; 0: it is the same on all ranks
void visit_linear(StateVisitor& v, RowRange rows, std::int64_t num_columns, LinearCost& linear);

/// Potentials, sums and values; no history. @param rows   owned
void visit_solution(StateVisitor& v, RowRange rows, SinkhornSolution& solution);

}  // namespace thalweg
