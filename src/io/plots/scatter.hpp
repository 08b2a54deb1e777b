// Cells on a two-dimensional embedding, coloured by category, one panel a group of cells.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "io/plots/density_grid.hpp"
#include "io/plots/plot.hpp"

namespace thalweg {

/// What cells are drawn in. With several panels each shows its own cells over the outline of all others.
struct ScatterLook {
  std::string title = {}, x_label = {}, y_label = {};
  std::vector<std::string> panels = {};  ///< their names; empty: one panel without a name
  std::vector<std::string> categories = {};
  std::vector<std::string> colors = {};  ///< "#rrggbb" of each category; empty = palette
  std::string panel_column = "panel", category_column = "category";  ///< of the table

  std::size_t num_panels() const { return panels.empty() ? 1 : panels.size(); }
};

/// Coordinates, panel and category of cells.
struct ScatterCells {
  std::vector<double> x = {}, y = {};
  std::vector<std::int32_t> category = {};  ///< index into the categories; any other value = not assigned, grey
  std::vector<std::int32_t> panel = {};     ///< empty: all in the first
  std::vector<std::string> ids = {};        ///< empty: numbered from 0
};

/// Smallest and largest coordinates of cells whose coordinates are finite.
struct ScatterExtent {
  double x_low = std::numeric_limits<double>::infinity(), x_high = -x_low, y_low = x_low, y_high = -x_low;
};
ScatterExtent extent_of(const ScatterCells& cells);

/// Grid of every panel of a plot over this extent.
Grid scatter_grid(const ScatterLook& look, const ScatterExtent& extent);

/// Numbers of finite cells, panels x (categories + 1), the last column for those not assigned.
std::vector<std::int64_t> scatter_totals(const ScatterLook& look, const ScatterCells& cells);

/// Up to this many cells are drawn one by one.
inline constexpr std::int64_t kLargestPointPlot = 20000;

/// Up to kLargestPointPlot cells: one dot each, in an order that hides no category below another; the table
/// has id, x, y, panel, category. More cells: `plot_scatter_grid` of them.
/// Cells with coordinates that are not finite are left out and counted in the caption.
/// @throws DataError  if the arrays differ in length
Plot plot_scatter(const ScatterLook& look, const ScatterCells& cells);

/// The same from cells counted on `scatter_grid`: images, coloured by the commonest category of each pixel with
/// opacity by the logarithm of its number of cells; the table has a row per occupied pixel (panel, x and y of its
/// centre, commonest category, cells, cells of that category).
/// @param cells   sorted by panel
/// @param totals  as of scatter_totals
Plot plot_scatter_grid(const ScatterLook& look, const Grid& grid, std::span<const GridCell> cells,
                       const std::vector<std::int64_t>& totals, std::int64_t num_left_out);

}  // namespace thalweg
