#include "io/plots/convergence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "distributed/error.hpp"
#include "io/plots/axis.hpp"
#include "io/plots/legend.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

constexpr double kLeft = 84.0, kPanelWidth = 520.0, kTop = 44.0, kPanelGap = 22.0;
constexpr double kObjectiveHeight = 170.0, kResidualHeight = 230.0, kLegendWidth = 190.0;
constexpr std::size_t kLargestCurve = 2000, kStretches = 1000;

/// A panel: its curves as drawn and its axes.
struct Panel {
  std::string name, title;
  std::vector<ConvergenceCurve> curves;
  Axis x, y;
  double top = 0.0, bottom = 0.0;
  double tolerance = 0.0;
  std::size_t left_out = 0;
};

/// Palette entries dark enough for thin lines; dashes tell them apart in grey print.
Rgb line_color(std::size_t index) {
  static constexpr std::array<int, 8> dark{0, 6, 5, 3, 9, 16, 7, 12};
  return categorical_color(dark[index % dark.size()]);
}

const char* line_dashes(std::size_t index) {
  static constexpr std::array<const char*, 4> dashes{"none", "7 3", "2 2.5", "9 3 2 3"};
  return dashes[index % dashes.size()];
}

/// The curve, or of each stretch the points with the least and the largest value, in order.
ConvergenceCurve thinned(const ConvergenceCurve& curve) {
  if (curve.x.size() <= kLargestCurve) return curve;
  ConvergenceCurve out{curve.name, {}, {}};
  for (std::size_t k = 0; k < kStretches; ++k) {
    const std::size_t begin = k * curve.x.size() / kStretches, end = (k + 1) * curve.x.size() / kStretches;
    std::size_t least = begin, largest = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!(curve.y[least] <= curve.y[i])) least = i;
      if (!(curve.y[largest] >= curve.y[i])) largest = i;
    }
    for (const std::size_t i : {std::min(least, largest), std::max(least, largest)}) {
      if (!out.x.empty() && i == begin && out.x.back() == curve.x[i]) continue;
      out.x.push_back(curve.x[i]);
      out.y.push_back(curve.y[i]);
      if (least == largest) break;
    }
  }
  return out;
}

bool drawable(double value, bool logarithmic) { return std::isfinite(value) && (!logarithmic || value > 0.0); }

bool all_positive(const std::vector<ConvergenceCurve>& curves) {
  return std::all_of(curves.begin(), curves.end(), [](const ConvergenceCurve& curve) {
    return std::all_of(curve.y.begin(), curve.y.end(), [](double y) { return !std::isfinite(y) || y > 0.0; });
  });
}

/// Least and largest drawable value; {1, 1} where there is none.
std::pair<double, double> value_range(const std::vector<ConvergenceCurve>& curves, bool logarithmic, double also) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  const auto include = [&](double y) {
    if (drawable(y, logarithmic)) low = std::min(low, y), high = std::max(high, y);
  };
  for (const auto& curve : curves) std::for_each(curve.y.begin(), curve.y.end(), include);
  if (also > 0.0) include(also);
  if (low > high) return {1.0, 1.0};
  return {low, high};
}

Panel make_panel(std::string name, const std::vector<ConvergenceCurve>& curves, bool logarithmic, double tolerance) {
  Panel panel;
  panel.name = std::move(name);
  panel.title = panel.name;
  panel.tolerance = tolerance;
  for (const auto& curve : curves) panel.curves.push_back(thinned(curve));
  for (const auto& curve : panel.curves) {
    panel.left_out += static_cast<std::size_t>(std::count_if(
        curve.y.begin(), curve.y.end(), [=](double y) { return std::isfinite(y) && !drawable(y, logarithmic); }));
  }
  const auto [low, high] = value_range(panel.curves, logarithmic, tolerance);
  panel.y = padded_axis(low, high, logarithmic);
  return panel;
}

Axis sweep_axis(const std::vector<Panel>& panels) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& panel : panels) {
    for (const auto& curve : panel.curves) {
      for (const double x : curve.x) {
        if (std::isfinite(x)) low = std::min(low, x), high = std::max(high, x);
      }
    }
  }
  Axis axis = low <= high ? padded_axis(low, high, false) : Axis{};
  axis.pixel_low = kLeft, axis.pixel_high = kLeft + kPanelWidth;
  return axis;
}

void draw_curve(Svg& svg, const Panel& panel, std::size_t index) {
  const auto& curve = panel.curves[index];
  const std::string color = hex(line_color(index));
  SvgPath path;
  bool pen_down = false;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const bool visible = drawable(curve.y[i], panel.y.logarithmic) && std::isfinite(curve.x[i]);
    if (visible) {
      const double x = panel.x.pixel(curve.x[i]), y = panel.y.pixel(curve.y[i]);
      pen_down ? path.line_to(x, y) : path.move_to(x, y);
      const bool next_visible = i + 1 < curve.x.size() && drawable(curve.y[i + 1], panel.y.logarithmic);
      if (curve.x.size() <= 40 || (!pen_down && !next_visible)) {
        svg.circle(x, y, 2.2, {{"fill", color}},
                   curve.name + "\n" + significant(curve.x[i], 6) + ": " + significant(curve.y[i], 6));
      }
    }
    pen_down = visible;
  }
  if (path.data().empty()) return;
  svg.path(path.data(),
           {{"fill", "none"},
            {"stroke", color},
            {"stroke-width", 1.6},
            {"stroke-linejoin", "round"},
            {"stroke-dasharray", line_dashes(index)}},
           curve.name);
}

/// Lines of both panels; labels above the first one where the next boundary leaves room.
void draw_boundaries(Svg& svg, const Panel& panel, const std::vector<ConvergenceBoundary>& boundaries, bool labelled) {
  double free_from = -1e9;
  for (const auto& boundary : boundaries) {
    if (!(boundary.x >= panel.x.low && boundary.x <= panel.x.high)) continue;
    const double x = panel.x.pixel(boundary.x);
    svg.line(x, panel.top, x, panel.bottom,
             {{"stroke", "#999999"}, {"stroke-width", 0.8}, {"stroke-dasharray", "3 3"}});
    const double width = text_width(boundary.label, 10.0);
    if (!labelled || boundary.label.empty() || x < free_from || x + width > kLeft + kPanelWidth + 40.0) continue;
    svg.text(x, panel.top - 5.0, boundary.label, {{"font-size", 10.0}, {"fill", "#555555"}});
    free_from = x + width + 8.0;
  }
}

void draw_legend(Svg& svg, const Panel& panel) {
  const double x = kLeft + kPanelWidth + 14.0;
  double y = panel.top + 10.0;
  const auto entry = [&](const std::string& name, const std::string& color, const char* dashes) {
    svg.line(x, y, x + 26.0, y, {{"stroke", color}, {"stroke-width", 1.8}, {"stroke-dasharray", dashes}});
    svg.text(x + 32.0, y + 4.0, shorten(name, 11.0, kLegendWidth - 50.0), {{"font-size", 11.0}}, name);
    y += 17.0;
  };
  for (std::size_t k = 0; k < panel.curves.size(); ++k) entry(panel.curves[k].name, hex(line_color(k)), line_dashes(k));
  if (panel.tolerance > 0.0) entry("tolerance " + significant(panel.tolerance), "#777777", "1 2");
}

void draw_panel(Svg& svg, const Panel& panel, const std::vector<ConvergenceBoundary>& boundaries, bool first) {
  draw_left_axis(svg, panel.y, kLeft, kLeft + kPanelWidth, panel.title);
  draw_boundaries(svg, panel, boundaries, first);
  if (panel.tolerance > 0.0) {
    const double y = panel.y.pixel(panel.tolerance);
    svg.line(kLeft, y, kLeft + kPanelWidth, y,
             {{"stroke", "#777777"}, {"stroke-dasharray", "1 2"}, {"stroke-width", 1.4}});
  }
  for (std::size_t k = 0; k < panel.curves.size(); ++k) draw_curve(svg, panel, k);
  draw_legend(svg, panel);
}

void check_curves(const std::vector<ConvergenceCurve>& curves) {
  for (const auto& curve : curves) {
    if (curve.x.size() == curve.y.size()) continue;
    throw DataError("convergence curve '" + curve.name + "' with " + std::to_string(curve.x.size()) + " sweeps and " +
                    std::to_string(curve.y.size()) +
                    " values in the convergence plot; both must be as many; give one value a sweep");
  }
}

std::string convergence_caption(const ConvergenceHistory& history, const std::vector<Panel>& panels) {
  std::string out;
  const auto sentence = [&out](const std::string& text) { out += (out.empty() ? "" : " ") + text; };
  if (!history.boundaries.empty()) sentence("Dashed vertical lines: start of a level or stage.");
  std::size_t left_out = 0;
  for (const auto& panel : panels) left_out += panel.left_out;
  if (left_out > 0)
    sentence("Not drawn, because not positive: " + std::to_string(left_out) + (left_out == 1 ? " value." : " values."));
  const auto is_long = [](const ConvergenceCurve& curve) { return curve.x.size() > kLargestCurve; };
  if (std::any_of(history.objectives.begin(), history.objectives.end(), is_long) ||
      std::any_of(history.residuals.begin(), history.residuals.end(), is_long)) {
    sentence("Long curves show the least and the largest value of each of 1000 stretches.");
  }
  return out;
}

PlotTable convergence_table(const ConvergenceHistory& history, const std::vector<Panel>& panels) {
  PlotTable table{{"panel", "curve", "x", "y"}, {}};
  for (const auto& panel : panels) {
    for (const auto& curve : panel.curves) {
      for (std::size_t i = 0; i < curve.x.size(); ++i) {
        if (!drawable(curve.y[i], panel.y.logarithmic) || !std::isfinite(curve.x[i])) continue;
        table.rows.push_back({panel.name, curve.name, table_cell(curve.x[i]), table_cell(curve.y[i])});
      }
    }
    if (panel.tolerance > 0.0) table.rows.push_back({panel.name, "tolerance", "", table_cell(panel.tolerance)});
  }
  for (const auto& boundary : history.boundaries)
    table.rows.push_back({"boundary", boundary.label, table_cell(boundary.x), ""});
  return table;
}

}  // namespace

Plot plot_convergence(const ConvergenceHistory& history) {
  check_curves(history.objectives);
  check_curves(history.residuals);
  std::vector<Panel> panels;
  if (!history.objectives.empty())
    panels.push_back(make_panel("objective", history.objectives, all_positive(history.objectives), 0.0));
  if (!history.residuals.empty()) panels.push_back(make_panel("residual", history.residuals, true, history.tolerance));
  const Axis x = sweep_axis(panels);
  double y = kTop + (history.boundaries.empty() ? 0.0 : 10.0);
  for (auto& panel : panels) {
    panel.x = x;
    panel.top = y;
    panel.bottom = y + (panel.name == "objective" ? kObjectiveHeight : kResidualHeight);
    panel.y.pixel_low = panel.bottom, panel.y.pixel_high = panel.top;
    y = panel.bottom + kPanelGap;
  }
  const double bottom = y - kPanelGap, width = kLeft + kPanelWidth + kLegendWidth;
  const std::string caption = convergence_caption(history, panels);
  Svg svg(width, bottom + 52.0 + caption_height(caption, width - 28.0), "Convergence. " + history.title);
  draw_title(svg, 14.0, width - 28.0, history.title);
  for (std::size_t k = 0; k < panels.size(); ++k) draw_panel(svg, panels[k], history.boundaries, k == 0);
  draw_bottom_axis(svg, x, bottom, history.x_label);
  draw_caption(svg, 14.0, bottom + 40.0, width - 28.0, caption);
  return {svg.str(), convergence_table(history, panels)};
}

}  // namespace thalweg
