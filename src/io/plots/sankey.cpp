#include "io/plots/sankey.hpp"

#include "io/plots/flow_drawing.hpp"
#include "io/plots/legend.hpp"
#include "io/plots/palette.hpp"

namespace thalweg {

namespace {

/// Positions of the edges that carry at least `min_share` of the mass between their two times.
std::vector<std::size_t> heavy_edges(const DifferentiationMap& map, double min_share) {
  std::vector<double> totals(map.times.size(), 0.0);
  for (const auto& edge : map.edges) {
    if (edge.mass > 0.0) totals[static_cast<std::size_t>(edge.slice)] += edge.mass;
  }
  std::vector<std::size_t> heavy;
  for (std::size_t k = 0; k < map.edges.size(); ++k) {
    const auto& edge = map.edges[k];
    if (edge.mass > 0.0 && edge.mass >= min_share * totals[static_cast<std::size_t>(edge.slice)]) heavy.push_back(k);
  }
  return heavy;
}

std::string sankey_caption(const DifferentiationMap& map, const std::vector<std::size_t>& drawn, double min_share) {
  const std::size_t hidden = map.edges.size() - drawn.size();
  std::string out =
      "Height of bars and width of ribbons are mass, on one scale; ribbons have the colour of their source. ";
  if (hidden == 0) return out + "No edge is hidden.";
  return out + "Edges below " + percent(min_share) +
         " % of the mass of their transition are hidden: " + std::to_string(hidden) + " of " +
         std::to_string(map.edges.size()) + ", with " + percent(hidden_share(map, drawn)) + " % of the mass.";
}

}  // namespace

Plot plot_sankey(const DifferentiationMap& map, double min_share) {
  check_map(map);
  const auto drawn = heaviest_edges(map, heavy_edges(map, min_share));
  const FlowLayout layout = layout_flow(map, drawn, kFlowTop);
  const std::string caption = sankey_caption(map, drawn, min_share);
  const double legend_y = layout.bottom + 18.0, text_width = layout.width - 28.0;
  const double caption_y = legend_y + 34.0;
  Svg svg(layout.width, caption_y + caption_height(caption, text_width) + 12.0, "Sankey diagram. " + map.title);
  const auto slices = nodes_by_slice(map);
  const auto colors = node_colors(map);
  draw_flow(svg, map, layout, [&](std::size_t k) {
    const auto& edge = map.edges[k];
    const auto source = slices[static_cast<std::size_t>(edge.slice)][static_cast<std::size_t>(edge.source)];
    return hex(lightened(parse_color(colors[source], {}), 0.35));
  });
  draw_mass_scale(svg, 20.0, legend_y, layout);
  draw_caption(svg, 14.0, caption_y, text_width, caption);
  return {svg.str(), flow_table(map, drawn)};
}

}  // namespace thalweg
