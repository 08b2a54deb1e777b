// Points in panels of one scale, each point of its own colour: surfaces, slices of tissue.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
};

struct PointPanelsLook {
  std::string title, caption;
  int columns = 2;
  double dot = 3.0;  ///< diameter in pixels
};

/// Panels row by row; a unit is as long in every panel and direction. The table has panel, id, x, y, color.
/// @throws DataError for coordinates or colours that are not one a point
Plot plot_point_panels(const PointPanelsLook& look, const std::vector<PointPanel>& panels);

}  // namespace thalweg
