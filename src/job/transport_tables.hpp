// Numbers of a solved transport problem as tables and curves.
#pragma once

#include <optional>
#include <string>

#include "io/plots/convergence.hpp"
#include "io/plots/heat_map.hpp"
#include "io/table.hpp"
#include "job/convergence_table.hpp"
#include "job/index_table.hpp"
#include "job/transport_cells.hpp"

namespace thalweg {

/// S = OT(a, b) - (OT(a, a) + OT(b, b)) / 2 of dual values, for unequal masses with the term that makes it >= 0.
struct Divergence {
  double value = 0.0;
  double self_source = 0.0, self_target = 0.0;  // dual values
  double resolution = 0.0;                      // sum of the three gaps
  bool is_below_resolution = false;             // too small against the gaps to be told from 0
  StopReason stop_reason = StopReason::converged;  // the worse of the two self problems
};

/// What a transport job has found, gathered for output.
struct TransportResult {
  const TransportSides& sides;
  const TransportProblem& problem;
  const SinkhornSolution& solution;
  std::optional<Divergence> divergence;
};

/// quantity, value, meaning: every number of the report.
Table transport_table(const TransportResult& result);

/// One row a check, then one with the state that is returned, if there is one.
ConvergenceTable transport_convergence(const std::string& pair, const SinkhornSolution& solution);
ConvergenceHistory transport_curves(const SinkhornSolution& solution, double tolerance);

IndexRow transport_index(const TransportResult& result, const std::string& file);

/// Mass between the labels that occur on either side.
TransitionMatrix transport_transitions(const TransportSides& sides, const std::vector<double>& transitions, const std::string& annotation);

}  // namespace thalweg
