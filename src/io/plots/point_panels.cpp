#include "io/plots/point_panels.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "distributed/error.hpp"
#include "io/plots/panel_triangles.hpp"
#include "io/plots/svg.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

constexpr double panel_width = 340.0, most_height = 340.0, margin = 30.0, top = 40.0;
constexpr std::size_t layers = 8;  // of depth

struct Extent {
  double low = INFINITY, high = -INFINITY;
  double size() const { return high > low ? high - low : 0.0; }
  double middle() const { return 0.5 * (low + high); }
};

Extent extent_of(const std::vector<double>& values) {
  Extent extent;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    extent.low = std::min(extent.low, value);
    extent.high = std::max(extent.high, value);
  }
  return extent;
}

void check_panel(const PointPanel& panel) {
  const std::size_t size = panel.x.size();
  if (panel.y.size() == size && panel.colors.size() == size && (panel.depth.empty() || panel.depth.size() == size) &&
      (panel.ids.empty() || panel.ids.size() == size)) {
    for (const auto& triangle : panel.triangles)
      for (const std::int32_t corner : triangle)
        if (corner < 0 || static_cast<std::size_t>(corner) >= size)
          throw DataError("panel '" + panel.name + "' has a triangle with corner " + std::to_string(corner) +
                          "; its points are 0 to " + std::to_string(static_cast<std::int64_t>(size) - 1));
    return;
  }
  throw DataError("panel '" + panel.name + "' has " + std::to_string(size) + " x, " + std::to_string(panel.y.size()) +
                  " y and " + std::to_string(panel.colors.size()) + " colours; give one of each a point");
}

/// Layer of each point, the farthest first.
std::vector<std::size_t> layers_of(const PointPanel& panel) {
  std::vector<std::size_t> layer(panel.x.size(), 0);
  const Extent extent = extent_of(panel.depth);
  for (std::size_t i = 0; i < panel.depth.size(); ++i) {
    const double share = extent.size() > 0.0 ? (extent.high - panel.depth[i]) / extent.size() : 0.0;
    layer[i] = std::min(layers - 1, static_cast<std::size_t>(std::max(0.0, share) * layers));
  }
  return layer;
}

/// Where a panel stands and how its points become pixels.
struct Frame {
  double x = 0.0, y = 0.0, height = 0.0, scale = 1.0;
  Extent across, up;

  std::pair<double, double> pixel(double px, double py) const {
    return {x + 0.5 * panel_width + scale * (px - across.middle()), y + 0.5 * height - scale * (py - up.middle())};
  }
};

void draw_points(Svg& svg, const PointPanel& panel, const Frame& frame, const PointPanelsLook& look) {
  const std::vector<std::size_t> layer = layers_of(panel);
  std::map<std::pair<std::size_t, std::string>, std::string> paths;
  for (std::size_t i = 0; i < panel.x.size(); ++i) {
    if (!std::isfinite(panel.x[i]) || !std::isfinite(panel.y[i])) continue;
    const auto [x, y] = frame.pixel(panel.x[i], panel.y[i]);
    paths[{layer[i], hex(coarse_color(panel.colors[i]))}] +=
        'M' + svg_number(std::round(10.0 * x) / 10.0) + ' ' + svg_number(std::round(10.0 * y) / 10.0) + "h0";
  }
  svg.begin_group({{"fill", "none"}, {"stroke-linecap", "round"}, {"stroke-width", look.dot}, {"stroke-opacity", look.opacity}});
  for (const auto& [key, path] : paths) svg.path(path, {{"stroke", key.second}});
  svg.end_group();
}

void draw_frame(Svg& svg, const PointPanel& panel, const Frame& frame) {
  svg.rect(frame.x, frame.y, panel_width, frame.height,
           {{"fill", "none"}, {"stroke", "#999999"}, {"stroke-width", 0.8}});
  svg.text(frame.x, frame.y - 6.0, shorten(panel.name, 12.0 * 1.13, panel_width),
           {{"font-size", 12.0}, {"font-weight", "bold"}}, panel.name);
  svg.text(frame.x + 0.5 * panel_width, frame.y + frame.height + 14.0, panel.x_label,
           {{"text-anchor", "middle"}, {"font-size", 10.0}});
  const double x = frame.x - 8.0, y = frame.y + 0.5 * frame.height;
  svg.text(x, y, panel.y_label,
           {{"text-anchor", "middle"},
            {"font-size", 10.0},
            {"transform", "rotate(-90 " + svg_number(x) + ' ' + svg_number(y) + ')'}});
}

PlotTable table_of(const std::vector<PointPanel>& panels) {
  PlotTable table{{"panel", "id", "x", "y", "color"}, {}};
  for (const PointPanel& panel : panels)
    for (std::size_t i = 0; i < panel.x.size(); ++i) {
      const auto id = panel.ids.empty() ? static_cast<std::int64_t>(i) : panel.ids[i];
      table.rows.push_back(
          {panel.name, std::to_string(id), table_cell(panel.x[i]), table_cell(panel.y[i]), hex(panel.colors[i])});
    }
  return table;
}

/// Rows of a legend that fills the width.
int legend_rows(const std::vector<LegendEntry>& legend, double width) {
  if (legend.empty()) return 0;
  const auto size = static_cast<int>(legend.size());
  const int columns = std::max(1, static_cast<int>(width / (category_legend_width(legend, 1) / size)));
  return (size + columns - 1) / columns;
}

/// Frames of all panels under the largest scale at which every one fits.
std::vector<Frame> frames_of(const PointPanelsLook& look, const std::vector<PointPanel>& panels) {
  std::vector<Frame> frames;
  double scale = INFINITY;
  for (const PointPanel& panel : panels) {
    frames.push_back({0.0, 0.0, 0.0, 1.0, extent_of(panel.x), extent_of(panel.y)});
    if (frames.back().across.size() > 0.0) scale = std::min(scale, 0.94 * panel_width / frames.back().across.size());
    if (frames.back().up.size() > 0.0) scale = std::min(scale, 0.94 * most_height / frames.back().up.size());
  }
  if (!std::isfinite(scale)) scale = 1.0;
  double y = top + 16.0;
  const auto columns = static_cast<std::size_t>(look.columns);
  for (std::size_t first = 0; first < frames.size(); first += columns) {
    double height = 40.0;
    const std::size_t last = std::min(frames.size(), first + columns);
    for (std::size_t k = first; k < last; ++k) height = std::max(height, scale * frames[k].up.size() / 0.94);
    for (std::size_t k = first; k < last; ++k) {
      frames[k].x = margin + static_cast<double>(k - first) * (panel_width + margin);
      frames[k].y = y;
      frames[k].height = height;
      frames[k].scale = scale;
    }
    y += height + 44.0;
  }
  return frames;
}

}  // namespace

Plot plot_point_panels(const PointPanelsLook& look, const std::vector<PointPanel>& panels) {
  for (const PointPanel& panel : panels) check_panel(panel);
  const std::vector<Frame> frames = frames_of(look, panels);
  const double width =
      margin + std::min<double>(look.columns, static_cast<double>(panels.size())) * (panel_width + margin);
  const double below = frames.empty() ? top : frames.back().y + frames.back().height + 24.0;
  const int rows = legend_rows(look.legend, width - 28.0);
  const double bottom = below + (rows > 0 ? 4.0 + 16.0 * rows : 0.0);
  Svg svg(width, bottom + 12.0 + caption_height(look.caption, width - 28.0), look.title);
  draw_title(svg, 14.0, width - 28.0, look.title);
  for (std::size_t k = 0; k < panels.size(); ++k) {
    if (panels[k].triangles.empty()) draw_points(svg, panels[k], frames[k], look);
    else draw_triangles(svg, panels[k], [&](double x, double y) { return frames[k].pixel(x, y); });
    draw_frame(svg, panels[k], frames[k]);
  }
  if (rows > 0) draw_category_legend(svg, margin, below + 4.0, look.legend, rows);
  draw_caption(svg, 14.0, bottom + 6.0, width - 28.0, look.caption);
  return {svg.str(), table_of(panels)};
}

}  // namespace thalweg
