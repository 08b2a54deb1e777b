// Cells counted on a square grid and drawn as an image.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/plots/palette.hpp"
#include "io/plots/png.hpp"

namespace thalweg {

/// Side of the grid of a plot in pixels; the panels of a plot share it.
inline constexpr std::int32_t kGridSize = 1000;

/// Extent of a panel and its pixels a side.
struct Grid {
  double x_low = 0.0, x_high = 1.0, y_low = 0.0, y_high = 1.0;
  std::int32_t size = kGridSize;

  std::int32_t num_pixels() const { return size * size; }
};

/// Points of one category in one pixel of one panel.
struct GridCount {
  std::int32_t panel = 0;
  std::int32_t pixel = 0;  ///< row by row from the top
  std::int32_t category = 0;
  std::int64_t count = 0;
};

/// Occupied pixels by panel, pixel and category, ascending. Points outside the grid or not finite are left out.
/// @param panel  of each point; empty: all are in panel 0
std::vector<GridCount> count_on_grid(std::span<const double> x, std::span<const double> y,
                                     std::span<const std::int32_t> panel, std::span<const std::int32_t> category,
                                     const Grid& grid);

/// A pixel that holds at least one point.
struct GridCell {
  std::int32_t panel = 0;
  std::int32_t column = 0, row = 0;  ///< row 0 at the top
  std::int32_t category = 0;         ///< the commonest; the smallest of equals
  std::int64_t count = 0;            ///< points of all categories
  std::int64_t category_count = 0;   ///< points of the commonest category
};

/// Counts in any order, those of the same pixel and category added up.
std::vector<GridCell> grid_cells(std::vector<GridCount> counts, const Grid& grid);

/// How a panel is drawn.
struct GridLook {
  std::vector<Rgb> colors;  ///< of the categories; a category outside is grey
  int radius = 0;           ///< pixels of a dot around its cell
};

/// The cells of one panel over the outline of others, in light grey: colour by category, opacity rising with log(count).
/// Where dots overlap the fuller one is seen.
IndexedImage grid_image(std::span<const GridCell> cells, std::span<const GridCell> others, const Grid& grid,
                        const GridLook& look);

}  // namespace thalweg
