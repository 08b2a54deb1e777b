// Drawing of flow pictures: bars, ribbons, labels, column headers, mass scale.
#pragma once

#include <functional>
#include <string>

#include "io/plots/flow_layout.hpp"
#include "io/plots/svg.hpp"

namespace thalweg {

/// Space above the bars for the title and the column headers.
inline constexpr double kFlowTop = 82.0;

/// At most this many ribbons are drawn; above kMostTooltips they have no tooltips: files stay below 2 MB.
inline constexpr std::size_t kMostRibbons = 4000, kMostTooltips = 2000;

/// The kMostRibbons heaviest of the edges, in their order.
std::vector<std::size_t> heaviest_edges(const DifferentiationMap& map, std::vector<std::size_t> edges);

/// Fill of a ribbon, as the position of its edge in map.edges.
using RibbonColor = std::function<std::string(std::size_t)>;

/// Everything but legend and caption.
void draw_flow(Svg& svg, const DifferentiationMap& map, const FlowLayout& layout, const RibbonColor& color);

/// A bar of a round mass with its number, 44 px high at most.
void draw_mass_scale(Svg& svg, double x, double y, const FlowLayout& layout);

/// "1.3" for percentages: two significant digits, and "0" or "100" only where exact.
std::string percent(double share);

/// Part of the mass of all edges that the edges not drawn carry.
double hidden_share(const DifferentiationMap& map, const std::vector<std::size_t>& drawn);

/// A row per bar and per drawn ribbon: kind, time, name, annotation, cells, confidence, next time, target,
/// mass, forward, ancestor, npmi, share.
PlotTable flow_table(const DifferentiationMap& map, const std::vector<std::size_t>& drawn);

}  // namespace thalweg
