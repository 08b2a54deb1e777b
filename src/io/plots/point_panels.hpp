// Points in panels of one scale, each point of its own colour, or triangles between them: surfaces, slices of tissue.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "io/plots/legend.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/plot.hpp"

namespace thalweg {

/// One view of some points.
struct PointPanel {
  std::string name;
  std::string x_label, y_label;
  std::vector<double> x, y;
  std::vector<double> depth;  ///< points of more depth are drawn first; empty: in order
  std::vector<Rgb> colors;
  std::vector<std::int64_t> ids;  ///< of the table; empty: numbered from 0
  std::vector<std::array<std::int32_t, 3>> triangles;  ///< of the points, drawn in their place
};

struct PointPanelsLook {
  std::string title, caption;
  int columns = 2;
  double dot = 3.0;  ///< diameter in pixels
  double opacity = 1.0;
  std::vector<LegendEntry> legend;  ///< below the panels
};

/// Panels row by row; a unit is as long in every panel and direction. The table has panel, id, x, y, color.
/// @throws DataError for coordinates or colours that are not one a point, triangles of other points
Plot plot_point_panels(const PointPanelsLook& look, const std::vector<PointPanel>& panels);

}  // namespace thalweg
