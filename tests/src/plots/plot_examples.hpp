// Example data for the plot tests and for `plot_examples`, which writes them as pictures.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/plots/convergence.hpp"
#include "io/plots/differentiation_map.hpp"
#include "io/plots/scatter.hpp"

namespace thalweg::test {

/// Adds edges with the given masses (zeros too) between slice and slice + 1, and their shares and NPMI.
void add_transition(int slice, const std::vector<std::vector<double>>& mass, DifferentiationMap& map);

/// Sets the mass and cells of all types from the edges (first marginal of each transition, last of the final one).
void set_masses(std::int64_t cells_per_slice, DifferentiationMap& map);

/// Amphid neurons of C. elegans: six times, named types, plausible masses.
DifferentiationMap amphid_map();

/// `slices` times of `types` unnamed types each, with mass mixing between random partners.
DifferentiationMap random_map(int slices, int types, unsigned seed);

/// Names with markup, non-ASCII, control characters and great length; a type without mass.
DifferentiationMap awkward_map();

/// Two levels of a solve with a decaying objective and residuals, one of which reaches zero.
ConvergenceHistory example_history();

struct ExampleScatter {
  ScatterLook look;
  ScatterCells cells;
  Plot plot() const { return plot_scatter(look, cells); }
};

/// Gaussian clouds, one a category, of which every 50th cell is not assigned; dealt out to `panels`, 0: one without name.
ExampleScatter example_cells(std::int64_t num_cells, int categories, int panels = 0);

}  // namespace thalweg::test
