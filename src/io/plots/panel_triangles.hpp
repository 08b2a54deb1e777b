// Shaded triangles of a panel of points.
#pragma once

#include <functional>
#include <utility>

#include "io/plots/point_panels.hpp"
#include "io/plots/svg.hpp"

namespace thalweg {

/// Whether every edge has two triangles that pass it in opposite directions.
bool is_closed(const std::vector<std::array<std::int32_t, 3>>& triangles);

/// Flat triangles in the mean colour of their corners, lit from above the viewer's left shoulder, the farthest first.
/// Where the surface is closed and its triangles turn one way, those that face away are left out.
/// @param pixel   of a place
void draw_triangles(Svg& svg, const PointPanel& panel,
                    const std::function<std::pair<double, double>(double, double)>& pixel);

}  // namespace thalweg
