// Heat map of one transition between types.
#pragma once

#include <string>
#include <vector>

#include "io/plots/differentiation_map.hpp"
#include "io/plots/plot.hpp"

namespace thalweg {

/// Mass that flows from each source type (row) to each target type (column).
struct TransitionMatrix {
  std::string source_time, target_time;
  std::vector<std::string> source_names, target_names;
  std::vector<double> mass;  ///< rows x columns, row-major, >= 0
  std::string title;
  std::string slice_noun = "time";
};

/// The transition between `slice` and `slice + 1` of a map, all its edges.
TransitionMatrix transition_matrix(const DifferentiationMap& map, int slice);

/// Cells show the forward shares (row / row sum) by colour and, where there is room, as numbers; bars at the
/// margins show the mass of each type. Rows without mass are grey.
/// The table has a row per pair: times, names, masses of both types, mass, forward.
/// @throws DataError  if mass does not have rows x columns entries
Plot plot_transition(const TransitionMatrix& transition);

}  // namespace thalweg
