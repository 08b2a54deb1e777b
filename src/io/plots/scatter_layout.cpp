#include "io/plots/scatter_layout.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr double kLeft = 40.0, kTop = 38.0, kGap = 14.0, kLegendRow = 16.0;
constexpr double kLargePanel = 560.0, kSmallPanel = 250.0;
constexpr int kMostColumns = 4;

std::vector<LegendEntry> legend_of(const ScatterLook& look, const std::vector<Rgb>& colors, const std::int64_t* totals, bool is_alone) {
  std::vector<LegendEntry> entries;
  for (std::size_t k = 0; k < colors.size(); ++k)
    if (is_alone || totals[k] > 0) entries.push_back({look.categories[k] + " (" + grouped(totals[k]) + ")", hex(colors[k])});
  if (totals[colors.size()] > 0) entries.push_back({"not assigned (" + grouped(totals[colors.size()]) + ")", hex(kNotAssignedColor)});
  return entries;
}

double legend_width(const ScatterLayout& layout, const ScatterPanel& panel) {
  return panel.legend.empty() ? 0.0 : category_legend_width(panel.legend, layout.legend_rows);
}

}  // namespace

int panels_a_side(const ScatterLook& look) {
  return static_cast<int>(std::ceil(std::sqrt(static_cast<double>(look.num_panels()))));
}

std::vector<Rgb> category_colors(const ScatterLook& look) {
  std::vector<Rgb> colors;
  for (std::size_t k = 0; k < look.categories.size(); ++k) {
    const Rgb color = categorical_color(static_cast<int>(k));
    colors.push_back(k < look.colors.size() ? parse_color(look.colors[k], color) : color);
  }
  return colors;
}

ScatterLayout lay_out_scatter(const ScatterLook& look, const Grid& grid, const std::vector<std::int64_t>& totals) {
  const bool is_alone = look.num_panels() == 1;
  const std::vector<Rgb> colors = category_colors(look);
  ScatterLayout layout;
  layout.columns = std::min(panels_a_side(look), kMostColumns);
  layout.panel_width = is_alone ? kLargePanel : kSmallPanel;
  const double aspect = (grid.y_high - grid.y_low) / (grid.x_high - grid.x_low);
  layout.panel_height = std::clamp(aspect, 0.6, 1.3) * layout.panel_width;
  layout.legend_rows = static_cast<int>(layout.panel_height / kLegendRow);
  std::vector<double> widths(static_cast<std::size_t>(layout.columns), 0.0);
  for (std::size_t p = 0; p < look.num_panels(); ++p) {
    const std::int64_t* own = totals.data() + p * (colors.size() + 1);
    ScatterPanel panel;
    panel.legend = legend_of(look, colors, own, is_alone);
    for (std::size_t k = 0; k <= colors.size(); ++k) panel.num_cells += own[k];
    double& width = widths[p % widths.size()];
    width = std::max(width, legend_width(layout, panel));
    layout.panels.push_back(std::move(panel));
  }
  const double title = look.panels.empty() ? 0.0 : 20.0;
  for (std::size_t p = 0; p < layout.panels.size(); ++p) {
    ScatterPanel& panel = layout.panels[p];
    const std::size_t column = p % widths.size(), row = p / widths.size();
    panel.x = kLeft;
    for (std::size_t c = 0; c < column; ++c) panel.x += layout.panel_width + 10.0 + widths[c] + kGap;
    panel.y = kTop + title + static_cast<double>(row) * (layout.panel_height + title + kGap);
    panel.legend_x = panel.x + layout.panel_width + 10.0;
    layout.width = std::max(layout.width, panel.legend_x + widths[column] + kGap);
    layout.height = panel.y + layout.panel_height;
  }
  return layout;
}

}  // namespace thalweg
