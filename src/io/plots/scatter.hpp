// Cells on a two-dimensional embedding, coloured by category.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/plots/plot.hpp"

namespace thalweg {

/// Cells with their coordinates and category; `ids` may be empty (rows are then numbered from 0).
struct ScatterCells {
  std::vector<double> x, y;
  std::vector<std::int32_t> category;  ///< index into `categories`; any other value = not assigned, grey
  std::vector<std::string> ids;
  std::vector<std::string> categories;
  std::vector<std::string> colors;  ///< "#rrggbb" of each category; empty = palette
  std::string title, x_label, y_label;
};

/// Up to this many cells are drawn one by one.
inline constexpr std::int64_t kLargestPointPlot = 20000;

/// Up to kLargestPointPlot cells: one dot each, in an order that hides no category below another; the table
/// has id, x, y, category. More cells: a 1000 x 1000 grid as PNG, coloured by the commonest category of each
/// grid cell with opacity by the logarithm of its number of cells; the table has a row per occupied grid cell
/// (x and y of its centre, commonest category, cells, cells of that category).
/// Cells with coordinates that are not finite are left out and counted in the caption.
/// @throws DataError  if the arrays differ in length
Plot plot_scatter(const ScatterCells& cells);

}  // namespace thalweg
