// Where the panels of a scatter plot and their legends stand.
#pragma once

#include <vector>

#include "io/plots/legend.hpp"
#include "io/plots/scatter.hpp"

namespace thalweg {

struct ScatterPanel {
  double x = 0.0, y = 0.0;  ///< upper left corner
  std::vector<LegendEntry> legend;
  double legend_x = 0.0;
  std::int64_t num_cells = 0;
};

struct ScatterLayout {
  double width = 0.0, height = 0.0;              ///< of the picture, without its caption
  double panel_width = 0.0, panel_height = 0.0;
  int columns = 1;
  int legend_rows = 1;  ///< entries of a legend column
  std::vector<ScatterPanel> panels;
};

/// Panels side by side in rows, each with the legend of its own categories at its right.
/// @param totals  as of scatter_totals
ScatterLayout lay_out_scatter(const ScatterLook& look, const Grid& grid, const std::vector<std::int64_t>& totals);

/// Colour of every category.
std::vector<Rgb> category_colors(const ScatterLook& look);

/// Panels of a plot in each direction of the grid that they share.
int panels_a_side(const ScatterLook& look);

/// Of cells without a category.
inline constexpr Rgb kNotAssignedColor{0xbb, 0xbb, 0xbb};

}  // namespace thalweg
