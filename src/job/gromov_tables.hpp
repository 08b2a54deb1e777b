// Tables and plots of an alignment.
#pragma once

#include <string>

#include "io/plots/convergence.hpp"
#include "io/plots/scatter.hpp"
#include "io/table.hpp"
#include "job/convergence_table.hpp"
#include "job/exact_loss.hpp"
#include "job/gromov_cells.hpp"
#include "job/gromov_costs.hpp"
#include "job/index_table.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// A solved alignment with its cells.
struct AlignmentResult {
  const TransportSides& sides;
  const AlignmentCosts& costs;
  const GromovSolution& solution;
  const MultiStartSolution& starts;
  std::optional<ExactLoss> exact = {};
};

/// tables/gromov.tsv: one quantity a row.
Table gromov_table(const AlignmentResult& result);
/// tables/labels.tsv: mass between the labels of both sides, one pair of them a row.
Table label_table(const TransportSides& sides, const std::vector<double>& class_masses);
/// tables/bridges.tsv: an edge that joined parts of a graph a row.
Table bridge_table(const AlignmentCosts& costs);
/// convergence.csv, with columns start, t, E_gw, linear, kl and accepted of its own: the steps on all cells.
ConvergenceTable gromov_convergence(const std::string& pair, const MultiStartSolution& starts);
/// Loss and regularised loss over the outer steps; gap and marginal error.
ConvergenceHistory gromov_curves(const GromovSolution& solution, double tolerance);
/// What index.tsv says of a solve; names and sizes are to be added.
IndexRow index_row_of(const GromovSolution& solution);
IndexRow gromov_index(const AlignmentResult& result);

/// Cells of both sides in the two leading principal coordinates of the features of `own`, by label, or else by side.
/// @param projected   of the other side, in the space of `own`
Plot projection_plot(const CellSide& own, const CellSide& other, const JointSpace& space);

}  // namespace thalweg
