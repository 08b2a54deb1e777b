// Sankey picture of consecutive transitions between types.
#pragma once

#include "io/plots/differentiation_map.hpp"
#include "io/plots/plot.hpp"

namespace thalweg {

/// Ribbons coloured by their source type; edges below `min_share` of the mass of their transition are hidden,
/// and the caption says how many and how much. The table is that of the differentiation map.
/// @throws DataError  see check_map
Plot plot_sankey(const DifferentiationMap& map, double min_share = 0.02);

}  // namespace thalweg
