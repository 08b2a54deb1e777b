#include "io/plots/scatter.hpp"

#include <algorithm>
#include <cmath>

#include "distributed/error.hpp"
#include "io/plots/axis.hpp"
#include "io/plots/scatter_layout.hpp"
#include "io/plots/svg.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

constexpr int kDrawingRounds = 8;

void check_cells(const ScatterCells& cells) {
  const std::size_t n = cells.x.size();
  const auto fits = [&](std::size_t size) { return size == 0 || size == n; };
  if (cells.y.size() == n && cells.category.size() == n && fits(cells.ids.size()) && fits(cells.panel.size())) return;
  throw DataError("x of " + std::to_string(n) + ", y of " + std::to_string(cells.y.size()) + " and category of " +
                  std::to_string(cells.category.size()) +
                  " cells in the scatter plot; all must be as many; give one of each a cell");
}

bool drawable(const ScatterCells& cells, std::size_t i) {
  return std::isfinite(cells.x[i]) && std::isfinite(cells.y[i]);
}

std::size_t panel_of(const ScatterCells& cells, std::size_t i) {
  return cells.panel.empty() ? 0 : static_cast<std::size_t>(cells.panel[i]);
}

bool is_assigned(const ScatterLook& look, std::int32_t category) {
  return category >= 0 && static_cast<std::size_t>(category) < look.categories.size();
}

/// Position of a category; their number where it is not assigned.
std::size_t position_of(const ScatterLook& look, std::int32_t category) {
  return is_assigned(look, category) ? static_cast<std::size_t>(category) : look.categories.size();
}

std::string category_name(const ScatterLook& look, std::int32_t category) {
  return is_assigned(look, category) ? look.categories[static_cast<std::size_t>(category)] : "";
}

/// Cell i in pixels of its panel.
std::pair<double, double> pixel_of(const ScatterLayout& layout, const ScatterPanel& panel, const Grid& grid, double x, double y) {
  return {panel.x + layout.panel_width * (x - grid.x_low) / (grid.x_high - grid.x_low),
          panel.y + layout.panel_height * (grid.y_high - y) / (grid.y_high - grid.y_low)};
}

/// Dots in rounds: each round draws its share of every category, so that none lies below all others.
/// One path holds all dots of a panel, a category and a round: a third of the bytes of circles.
void draw_points(Svg& svg, const ScatterLook& look, const ScatterCells& cells, const Grid& grid, const ScatterLayout& layout) {
  const auto colors = category_colors(look);
  const std::size_t count = look.categories.size() + 1, panels = layout.panels.size();
  std::vector<std::string> paths(count * kDrawingRounds * panels);
  for (std::size_t i = 0; i < cells.x.size(); ++i) {
    if (!drawable(cells, i)) continue;
    const std::size_t round = static_cast<std::size_t>((i * 0x9E3779B97F4A7C15ull) >> 61), panel = panel_of(cells, i);
    const auto [x, y] = pixel_of(layout, layout.panels[panel], grid, cells.x[i], cells.y[i]);
    paths[(panel * kDrawingRounds + round) * count + position_of(look, cells.category[i])] += 'M' + svg_number(x) + ' ' + svg_number(y) + "h0";
  }
  const double alone = cells.x.size() < 500 ? 6.0 : cells.x.size() < 5000 ? 4.0 : 2.6;
  svg.begin_group({{"fill", "none"}, {"stroke-linecap", "round"}, {"stroke-width", panels > 1 ? std::min(alone, 3.4) : alone}, {"stroke-opacity", 0.85}});
  for (std::size_t k = 0; k < paths.size(); ++k) {
    if (paths[k].empty()) continue;
    const bool assigned = k % count < colors.size();
    svg.path(paths[k], {{"stroke", hex(assigned ? colors[k % count] : kNotAssignedColor)}},
             assigned ? look.categories[k % count] : "not assigned");
  }
  svg.end_group();
}

std::span<const GridCell> cells_of_panel(std::span<const GridCell> cells, std::size_t panel) {
  const auto before = [](const GridCell& cell, std::int32_t p) { return cell.panel < p; };
  const auto p = static_cast<std::int32_t>(panel);
  return {std::lower_bound(cells.begin(), cells.end(), p, before), std::lower_bound(cells.begin(), cells.end(), p + 1, before)};
}

/// Pixels of a dot, so that it is about as large as in a plot of points.
int dot_radius(const Grid& grid, std::int64_t num_cells) {
  const int base = num_cells <= 200000 ? 2 : num_cells <= 2000000 ? 1 : 0;
  return grid.size >= 600 ? base : std::min(base, 1);
}

void draw_images(Svg& svg, const Grid& grid, std::span<const GridCell> cells, const ScatterLayout& layout, const GridLook& look, bool with_cells) {
  for (std::size_t p = 0; p < layout.panels.size(); ++p) {
    const std::span<const GridCell> own = with_cells ? cells_of_panel(cells, p) : std::span<const GridCell>();
    const std::span<const GridCell> others = layout.panels.size() > 1 ? cells : std::span<const GridCell>();
    svg.png(layout.panels[p].x, layout.panels[p].y, layout.panel_width, layout.panel_height, encode_png(grid_image(own, others, grid, look)));
  }
}

PlotTable point_table(const ScatterLook& look, const ScatterCells& cells) {
  PlotTable table{{"id", "x", "y", look.category_column}, {}};
  if (!look.panels.empty()) table.header.insert(table.header.begin() + 3, look.panel_column);
  for (std::size_t i = 0; i < cells.x.size(); ++i) {
    if (!drawable(cells, i)) continue;
    std::vector<std::string> row{cells.ids.empty() ? std::to_string(i) : cells.ids[i], table_cell(cells.x[i]), table_cell(cells.y[i])};
    if (!look.panels.empty()) row.push_back(look.panels[panel_of(cells, i)]);
    row.push_back(category_name(look, cells.category[i]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

PlotTable grid_table(const ScatterLook& look, const Grid& grid, std::span<const GridCell> cells) {
  PlotTable table{{"x", "y", look.category_column, "cells", look.category_column + "_cells"}, {}};
  if (!look.panels.empty()) table.header.insert(table.header.begin(), look.panel_column);
  for (const auto& cell : cells) {
    std::vector<std::string> row;
    if (!look.panels.empty()) row.push_back(look.panels[static_cast<std::size_t>(cell.panel)]);
    row.push_back(table_cell(grid.x_low + (grid.x_high - grid.x_low) * (cell.column + 0.5) / grid.size));
    row.push_back(table_cell(grid.y_high - (grid.y_high - grid.y_low) * (cell.row + 0.5) / grid.size));
    row.push_back(category_name(look, cell.category));
    row.push_back(table_cell(cell.count));
    row.push_back(table_cell(cell.category_count));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string scatter_caption(const ScatterLook& look, const Grid* grid, std::int64_t num_cells, std::int64_t num_left_out) {
  std::string out = grouped(num_cells) + (num_cells == 1 ? " cell" : " cells");
  if (!look.panels.empty()) out += "; grey: the cells of the other panels";
  if (grid != nullptr) {
    const std::string side = std::to_string(grid->size);
    out += "; counted on a grid of " + side + " \u00d7 " + side + (look.panels.empty() ? "" : " a panel") +
           ": colour of the commonest " + look.category_column + ", opacity by the logarithm of the count";
  }
  return out + (num_left_out > 0 ? "; left out without finite coordinates: " + grouped(num_left_out) + "." : ".");
}

/// Frames, names, labels and legends.
void draw_panels(Svg& svg, const ScatterLook& look, const ScatterLayout& layout) {
  for (std::size_t p = 0; p < layout.panels.size(); ++p) {
    const ScatterPanel& panel = layout.panels[p];
    svg.rect(panel.x, panel.y, layout.panel_width, layout.panel_height, {{"fill", "none"}, {"stroke", "#777777"}, {"stroke-width", 0.8}});
    if (!look.panels.empty()) {
      const std::string name = look.panels[p] + "  (" + grouped(panel.num_cells) + ")";
      svg.text(panel.x, panel.y - 6.0, shorten(name, 12.0 * 1.13, layout.panel_width), {{"font-size", 12.0}, {"font-weight", "bold"}}, name);
    }
    draw_category_legend(svg, panel.legend_x, panel.y, panel.legend, layout.legend_rows);
    const double middle_x = panel.x + 0.5 * layout.panel_width, middle_y = panel.y + 0.5 * layout.panel_height;
    const bool is_lowest = p + static_cast<std::size_t>(layout.columns) >= layout.panels.size();
    if (is_lowest) svg.text(middle_x, panel.y + layout.panel_height + 15.0, look.x_label, {{"text-anchor", "middle"}, {"font-size", 11.0}});
    if (p % static_cast<std::size_t>(layout.columns) != 0) continue;
    svg.text(panel.x - 9.0, middle_y, look.y_label,
             {{"text-anchor", "middle"}, {"font-size", 11.0}, {"transform", "rotate(-90 " + svg_number(panel.x - 9.0) + ' ' + svg_number(middle_y) + ')'}});
  }
}

std::int64_t sum_of(const std::vector<std::int64_t>& totals) {
  std::int64_t sum = 0;
  for (const std::int64_t total : totals) sum += total;
  return sum;
}

/// The picture around what `draw` puts into the panels.
template <class Draw>
std::string scatter_svg(const ScatterLook& look, const ScatterLayout& layout, const std::string& caption, const Draw& draw) {
  const double text_width = layout.width - 28.0;
  Svg svg(layout.width, layout.height + 40.0 + caption_height(caption, text_width), "Scatter plot. " + look.title);
  draw_title(svg, 14.0, text_width, look.title);
  draw(svg);
  draw_panels(svg, look, layout);
  draw_caption(svg, 14.0, layout.height + 22.0, text_width, caption);
  return svg.str();
}

}  // namespace

ScatterExtent extent_of(const ScatterCells& cells) {
  ScatterExtent extent;
  for (std::size_t i = 0; i < cells.x.size(); ++i) {
    if (!drawable(cells, i)) continue;
    extent.x_low = std::min(extent.x_low, cells.x[i]), extent.x_high = std::max(extent.x_high, cells.x[i]);
    extent.y_low = std::min(extent.y_low, cells.y[i]), extent.y_high = std::max(extent.y_high, cells.y[i]);
  }
  return extent;
}

Grid scatter_grid(const ScatterLook& look, const ScatterExtent& extent) {
  const bool is_empty = extent.x_low > extent.x_high;
  const Axis x = is_empty ? padded_axis(0.0, 0.0, false) : padded_axis(extent.x_low, extent.x_high, false);
  const Axis y = is_empty ? x : padded_axis(extent.y_low, extent.y_high, false);
  return {x.low, x.high, y.low, y.high, kGridSize / panels_a_side(look)};
}

std::vector<std::int64_t> scatter_totals(const ScatterLook& look, const ScatterCells& cells) {
  const std::size_t count = look.categories.size() + 1;
  std::vector<std::int64_t> totals(look.num_panels() * count, 0);
  for (std::size_t i = 0; i < cells.x.size(); ++i)
    if (drawable(cells, i)) ++totals[panel_of(cells, i) * count + position_of(look, cells.category[i])];
  return totals;
}

Plot plot_scatter(const ScatterLook& look, const ScatterCells& cells) {
  check_cells(cells);
  const Grid grid = scatter_grid(look, extent_of(cells));
  const std::vector<std::int64_t> totals = scatter_totals(look, cells);
  const std::int64_t num_cells = sum_of(totals), num_left_out = static_cast<std::int64_t>(cells.x.size()) - num_cells;
  const std::vector<GridCell> counted = grid_cells(count_on_grid(cells.x, cells.y, cells.panel, cells.category, grid), grid);
  if (num_cells > kLargestPointPlot) return plot_scatter_grid(look, grid, counted, totals, num_left_out);
  const ScatterLayout layout = lay_out_scatter(look, grid, totals);
  const std::string svg = scatter_svg(look, layout, scatter_caption(look, nullptr, num_cells, num_left_out), [&](Svg& picture) {
    if (layout.panels.size() > 1) draw_images(picture, grid, counted, layout, {}, /*with_cells=*/false);
    draw_points(picture, look, cells, grid, layout);
  });
  return {svg, point_table(look, cells)};
}

Plot plot_scatter_grid(const ScatterLook& look, const Grid& grid, std::span<const GridCell> cells,
                       const std::vector<std::int64_t>& totals, std::int64_t num_left_out) {
  const ScatterLayout layout = lay_out_scatter(look, grid, totals);
  const std::int64_t num_cells = sum_of(totals);
  const GridLook colors{category_colors(look), dot_radius(grid, num_cells)};
  const std::string svg = scatter_svg(look, layout, scatter_caption(look, &grid, num_cells, num_left_out),
                                      [&](Svg& picture) { draw_images(picture, grid, cells, layout, colors, /*with_cells=*/true); });
  return {svg, grid_table(look, grid, cells)};
}

}  // namespace thalweg
