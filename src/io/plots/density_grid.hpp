// Cells counted on a square grid and drawn as an image.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/plots/axis.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/png.hpp"

namespace thalweg {

inline constexpr std::int32_t kGridSize = 1000;

/// A grid cell that holds at least one point.
struct GridCell {
  std::int32_t column = 0, row = 0;  ///< row 0 at the top
  std::int32_t category = 0;         ///< the commonest; the smallest of equals
  std::int64_t count = 0;            ///< points of all categories
  std::int64_t category_count = 0;   ///< points of the commonest category
};

/// Occupied grid cells, row by row. Points outside the axes or not finite are left out.
std::vector<GridCell> count_on_grid(std::span<const double> x, std::span<const double> y,
                                    std::span<const std::int32_t> category, const Axis& x_axis, const Axis& y_axis);

/// The grid as an image: colour by category, opacity rising with log(count). Dots have `radius` pixels around
/// their grid cell; where they overlap the fuller one is seen.
/// @param colors  of the categories; a category outside is grey
IndexedImage grid_image(std::span<const GridCell> grid, std::span<const Rgb> colors, int radius);

}  // namespace thalweg
