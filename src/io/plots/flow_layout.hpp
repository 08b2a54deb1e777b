// Geometry of pictures whose columns are times, bars are types and ribbons are flows of mass.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "io/plots/differentiation_map.hpp"

namespace thalweg {

inline constexpr double kBarWidth = 13.0;
inline constexpr double kLabelFontSize = 12.0;
inline constexpr double kLabelLineHeight = 15.0;

/// A type: its bar and its label; `anchor` is the SVG text-anchor of the label.
struct FlowBar {
  double x = 0.0, center = 0.0, height = 0.0;
  double label_x = 0.0;
  std::string label, anchor;
};

/// A flow: centres of both ends and width, in pixels.
struct FlowRibbon {
  std::size_t edge = 0;  ///< position in map.edges
  double source_center = 0.0, target_center = 0.0, width = 0.0;
};

struct FlowLayout {
  double width = 0.0;              ///< of the whole picture
  double top = 0.0, bottom = 0.0;  ///< of the bars
  double scale = 1.0;              ///< pixels per unit of mass
  std::vector<double> column_x;    ///< left edge of the bars of each time
  double column_stride = 0.0;
  std::vector<FlowBar> bars;        ///< one per map.nodes
  std::vector<FlowRibbon> ribbons;  ///< one per drawn edge, widest first
};

/// Orders types by crossing reduction, aligns them along the drawn edges and places labels so that none
/// overlaps another label or a bar. Masses that are negative or not finite count as 0.
FlowLayout layout_flow(const DifferentiationMap& map, std::span<const std::size_t> drawn, double top);

}  // namespace thalweg
