#include "io/plots/differentiation_map.hpp"

#include <algorithm>

#include "io/plots/flow_drawing.hpp"
#include "io/plots/legend.hpp"
#include "io/plots/palette.hpp"

namespace thalweg {

namespace {

ColorBar npmi_bar() {
  return {-1.0,
          1.0,
          diverging_color,
          "NPMI of the two types",
          {-1.0, -0.5, 0.0, 0.5, 1.0},
          {"\u22121", "\u22120.5", "0", "0.5", "1"}};
}

std::string map_caption(const DifferentiationMap& map, const std::vector<std::size_t>& drawn, double threshold) {
  const std::size_t hidden = map.edges.size() - drawn.size();
  std::string out = "Bars are cell types; height of bars and width of ribbons are mass, on one scale. Drawn: " +
                    std::to_string(drawn.size()) + " of " + std::to_string(map.edges.size()) +
                    " edges, those with forward or ancestor share \u2265 " + significant(threshold) +
                    (drawn.size() == kMostRibbons ? ", the heaviest of them. " : ". ");
  out += hidden == 0 ? "No edge is hidden."
                     : std::to_string(hidden) + (hidden == 1 ? " hidden edge carries " : " hidden edges carry ") +
                           percent(hidden_share(map, drawn)) + " % of the mass.";
  const bool dashed =
      std::any_of(drawn.begin(), drawn.end(), [&map](std::size_t k) { return map.edges[k].share < 0.5; });
  if (dashed) out += " Dashed: drawn in fewer than half of the bootstrap replicates.";
  return out;
}

}  // namespace

Plot plot_differentiation_map(const DifferentiationMap& map, double edge_threshold) {
  check_map(map);
  const auto drawn = heaviest_edges(map, drawn_edges(map, edge_threshold));
  const FlowLayout layout = layout_flow(map, drawn, kFlowTop);
  const std::string caption = map_caption(map, drawn, edge_threshold);
  const double legend_y = layout.bottom + 22.0, text_width = layout.width - 28.0;
  const double caption_y = legend_y + 54.0;
  Svg svg(layout.width, caption_y + caption_height(caption, text_width) + 12.0, "Differentiation map. " + map.title);
  draw_flow(svg, map, layout, [&map](std::size_t k) { return hex(diverging_color(map.edges[k].npmi)); });
  draw_color_bar(svg, 24.0, legend_y, 190.0, npmi_bar());
  draw_mass_scale(svg, 254.0, legend_y + 8.0, layout);
  draw_caption(svg, 14.0, caption_y, text_width, caption);
  return {svg.str(), flow_table(map, drawn)};
}

}  // namespace thalweg
