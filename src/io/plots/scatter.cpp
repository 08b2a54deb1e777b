#include "io/plots/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "distributed/error.hpp"
#include "io/plots/density_grid.hpp"
#include "io/plots/legend.hpp"
#include "io/plots/svg.hpp"

namespace thalweg {

namespace {

constexpr double kLeft = 40.0, kTop = 40.0, kPanel = 560.0;
constexpr int kDrawingRounds = 8;
constexpr Rgb kNotAssigned{0xbb, 0xbb, 0xbb};

void check_cells(const ScatterCells& cells) {
  const std::size_t n = cells.x.size();
  if (cells.y.size() == n && cells.category.size() == n && (cells.ids.empty() || cells.ids.size() == n)) return;
  throw DataError("x of " + std::to_string(n) + ", y of " + std::to_string(cells.y.size()) + " and category of " +
                  std::to_string(cells.category.size()) +
                  " cells in the scatter plot; all must be as many; give one of each a cell");
}

bool drawable(const ScatterCells& cells, std::size_t i) {
  return std::isfinite(cells.x[i]) && std::isfinite(cells.y[i]);
}

/// Position of the category of cell i among the categories; their number where it is not assigned.
std::size_t category_of(const ScatterCells& cells, std::size_t i) {
  const std::int32_t c = cells.category[i];
  return c >= 0 && static_cast<std::size_t>(c) < cells.categories.size() ? static_cast<std::size_t>(c)
                                                                         : cells.categories.size();
}

std::vector<Rgb> category_colors(const ScatterCells& cells) {
  std::vector<Rgb> colors;
  for (std::size_t k = 0; k < cells.categories.size(); ++k) {
    const Rgb color = categorical_color(static_cast<int>(k));
    colors.push_back(k < cells.colors.size() ? parse_color(cells.colors[k], color) : color);
  }
  return colors;
}

/// Axes over the finite cells, with the same scale in both directions where that leaves a panel of usable shape.
std::pair<Axis, Axis> scatter_axes(const ScatterCells& cells) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double x_low = infinity, x_high = -infinity, y_low = infinity, y_high = -infinity;
  for (std::size_t i = 0; i < cells.x.size(); ++i) {
    if (!drawable(cells, i)) continue;
    x_low = std::min(x_low, cells.x[i]), x_high = std::max(x_high, cells.x[i]);
    y_low = std::min(y_low, cells.y[i]), y_high = std::max(y_high, cells.y[i]);
  }
  if (x_low > x_high) x_low = x_high = y_low = y_high = 0.0;
  Axis x = padded_axis(x_low, x_high, false), y = padded_axis(y_low, y_high, false);
  const double height = std::clamp(kPanel * (y.high - y.low) / (x.high - x.low), 0.6 * kPanel, 1.3 * kPanel);
  x.pixel_low = kLeft, x.pixel_high = kLeft + kPanel;
  y.pixel_low = kTop + height, y.pixel_high = kTop;
  return {x, y};
}

/// Dots in rounds: each round draws its share of every category, so that none lies below all others.
/// One path holds all dots of a category and a round: a third of the bytes of circles.
void draw_points(Svg& svg, const ScatterCells& cells, const Axis& x, const Axis& y) {
  const auto colors = category_colors(cells);
  const std::size_t count = cells.categories.size() + 1;
  std::vector<std::string> paths(count * kDrawingRounds);
  for (std::size_t i = 0; i < cells.x.size(); ++i) {
    if (!drawable(cells, i)) continue;
    const std::size_t round = static_cast<std::size_t>((i * 0x9E3779B97F4A7C15ull) >> 61);
    paths[round * count + category_of(cells, i)] +=
        'M' + svg_number(x.pixel(cells.x[i])) + ' ' + svg_number(y.pixel(cells.y[i])) + "h0";
  }
  const double diameter = cells.x.size() < 500 ? 6.0 : cells.x.size() < 5000 ? 4.0 : 2.6;
  svg.begin_group(
      {{"fill", "none"}, {"stroke-linecap", "round"}, {"stroke-width", diameter}, {"stroke-opacity", 0.85}});
  for (std::size_t k = 0; k < paths.size(); ++k) {
    if (paths[k].empty()) continue;
    const bool assigned = k % count < colors.size();
    svg.path(paths[k], {{"stroke", hex(assigned ? colors[k % count] : kNotAssigned)}},
             assigned ? cells.categories[k % count] : "not assigned");
  }
  svg.end_group();
}

std::vector<LegendEntry> legend_entries(const ScatterCells& cells) {
  std::vector<std::int64_t> counts(cells.categories.size() + 1, 0);
  for (std::size_t i = 0; i < cells.x.size(); ++i) counts[category_of(cells, i)] += drawable(cells, i) ? 1 : 0;
  const auto colors = category_colors(cells);
  std::vector<LegendEntry> entries;
  for (std::size_t k = 0; k < colors.size(); ++k)
    entries.push_back({cells.categories[k] + " (" + grouped(counts[k]) + ")", hex(colors[k])});
  if (counts.back() > 0) entries.push_back({"not assigned (" + grouped(counts.back()) + ")", hex(kNotAssigned)});
  return entries;
}

std::string category_name(const ScatterCells& cells, std::int32_t category) {
  return category >= 0 && static_cast<std::size_t>(category) < cells.categories.size()
             ? cells.categories[static_cast<std::size_t>(category)]
             : "";
}

PlotTable point_table(const ScatterCells& cells) {
  PlotTable table{{"id", "x", "y", "category"}, {}};
  for (std::size_t i = 0; i < cells.x.size(); ++i) {
    if (!drawable(cells, i)) continue;
    table.rows.push_back({cells.ids.empty() ? std::to_string(i) : cells.ids[i], table_cell(cells.x[i]),
                          table_cell(cells.y[i]), category_name(cells, cells.category[i])});
  }
  return table;
}

PlotTable grid_table(const ScatterCells& cells, const std::vector<GridCell>& grid, const Axis& x, const Axis& y) {
  PlotTable table{{"x", "y", "category", "cells", "category_cells"}, {}};
  for (const auto& cell : grid) {
    table.rows.push_back({table_cell(x.low + (x.high - x.low) * (cell.column + 0.5) / kGridSize),
                          table_cell(y.high - (y.high - y.low) * (cell.row + 0.5) / kGridSize),
                          category_name(cells, cell.category), table_cell(cell.count),
                          table_cell(cell.category_count)});
  }
  return table;
}

std::string scatter_caption(const ScatterCells& cells, std::int64_t num_drawable, bool rasterised) {
  std::string out = grouped(num_drawable) + (num_drawable == 1 ? " cell" : " cells");
  if (rasterised)
    out +=
        ", counted on a grid of 1000 \u00d7 1000: colour of the commonest category, opacity by the logarithm of the "
        "count";
  const auto missing = static_cast<std::int64_t>(cells.x.size()) - num_drawable;
  return out + (missing > 0 ? "; left out without finite coordinates: " + grouped(missing) + "." : ".");
}

/// Draws the cells on the grid and returns its table.
PlotTable draw_grid(Svg& svg, const ScatterCells& cells, const Axis& x, const Axis& y) {
  const auto grid = count_on_grid(cells.x, cells.y, cells.category, x, y);
  const int radius = cells.x.size() <= 200000 ? 2 : cells.x.size() <= 2000000 ? 1 : 0;
  svg.png(x.pixel_low, y.pixel_high, x.pixel_high - x.pixel_low, y.pixel_low - y.pixel_high,
          encode_png(grid_image(grid, category_colors(cells), radius)));
  return grid_table(cells, grid, x, y);
}

}  // namespace

Plot plot_scatter(const ScatterCells& cells) {
  check_cells(cells);
  std::int64_t num_drawable = 0;
  for (std::size_t i = 0; i < cells.x.size(); ++i) num_drawable += drawable(cells, i) ? 1 : 0;
  const bool rasterised = num_drawable > kLargestPointPlot;
  const auto [x, y] = scatter_axes(cells);
  const auto legend = legend_entries(cells);
  const int legend_rows = static_cast<int>((y.pixel_low - y.pixel_high) / 16.0);
  const double width = x.pixel_high + 16.0 + category_legend_width(legend, legend_rows) + 14.0;
  const std::string caption = scatter_caption(cells, num_drawable, rasterised);
  Svg svg(width, y.pixel_low + 44.0 + caption_height(caption, width - 28.0), "Scatter plot. " + cells.title);
  draw_title(svg, 14.0, width - 28.0, cells.title);
  PlotTable table;
  if (rasterised) {
    table = draw_grid(svg, cells, x, y);
  } else {
    draw_points(svg, cells, x, y);
    table = point_table(cells);
  }
  svg.rect(x.pixel_low, y.pixel_high, kPanel, y.pixel_low - y.pixel_high,
           {{"fill", "none"}, {"stroke", "#777777"}, {"stroke-width", 0.8}});
  svg.text(0.5 * (x.pixel_low + x.pixel_high), y.pixel_low + 18.0, cells.x_label, {{"text-anchor", "middle"}});
  const double label_y = 0.5 * (y.pixel_low + y.pixel_high);
  svg.text(kLeft - 12.0, label_y, cells.y_label,
           {{"text-anchor", "middle"},
            {"transform", "rotate(-90 " + svg_number(kLeft - 12.0) + ' ' + svg_number(label_y) + ')'}});
  draw_category_legend(svg, x.pixel_high + 16.0, y.pixel_high, legend, legend_rows);
  draw_caption(svg, 14.0, y.pixel_low + 26.0, width - 28.0, caption);
  return {svg.str(), std::move(table)};
}

}  // namespace thalweg
