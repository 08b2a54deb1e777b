// An alignment for several numbers of neighbours and epsilons.
#pragma once

#include <functional>
#include <string>

#include "job/gromov_costs.hpp"
#include "job/gromov_scores.hpp"
#include "job/job_session.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// One problem to solve.
struct SweepPoint {
  std::string name;
  const AlignmentCosts& costs;
  double epsilon = 0.01;
  bool keep_linear = false;
  const GromovSolution* before =
      nullptr;  // of a larger epsilon, with its linear cost: the only start; null: all starts
};

using SweepSolver = std::function<MultiStartSolution(const SweepPoint&)>;

/// Solves for every number of neighbours, and for each from the largest epsilon down, and writes tables/sweep.tsv. The
/// starts compete at the largest epsilon; smaller ones follow from its best coupling. Nothing is selected: losses for
/// different numbers of neighbours are of different costs. Marks the two neighbouring numbers whose couplings share
/// most, on average over epsilon. Collective.
/// @param sides      rows normalised
/// @param low_rank   as make_alignment_costs
/// @return        the reason that ended the sweep early, else converged
StopReason run_sweep(JobSession& session, const Job& job, const TransportSides& sides, const CellPairs& pairs,
                     bool low_rank, const SweepSolver& solve);

}  // namespace thalweg
