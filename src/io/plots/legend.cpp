#include "io/plots/legend.hpp"

#include <algorithm>

#include "io/plots/text.hpp"

namespace thalweg {

namespace {

constexpr double kRowHeight = 16.0;
constexpr double kLegendFontSize = 11.0;
constexpr double kLegendNameWidth = 170.0;

double column_width(std::span<const LegendEntry> entries) {
  double widest = 0.0;
  for (const auto& entry : entries) widest = std::max(widest, text_width(entry.name, kLegendFontSize));
  return 30.0 + std::min(widest, kLegendNameWidth);
}

}  // namespace

double caption_height(std::string_view caption, double width) {
  return kCaptionLineHeight * static_cast<double>(wrap_text(caption, kCaptionFontSize, width).size());
}

void draw_caption(Svg& svg, double x, double y, double width, std::string_view caption) {
  for (const auto& line : wrap_text(caption, kCaptionFontSize, width)) {
    svg.text(x, y += kCaptionLineHeight, line, {{"font-size", kCaptionFontSize}, {"fill", "#555555"}});
  }
}

void draw_title(Svg& svg, double x, double width, std::string_view title) {
  if (title.empty()) return;
  // Bold letters are wider than the estimate by about an eighth.
  svg.text(x, 22.0, shorten(title, 15.0 * 1.13, width), {{"font-size", 15.0}, {"font-weight", "bold"}}, title);
}

void draw_color_bar(Svg& svg, double x, double y, double width, const ColorBar& bar) {
  constexpr int steps = 100;
  constexpr double height = 11.0;
  svg.text(x, y + 10.0, bar.title, {{"font-size", kLegendFontSize}});
  for (int k = 0; k < steps; ++k) {
    const double value = bar.low + (bar.high - bar.low) * (k + 0.5) / steps;
    // Each step reaches under the next one, or viewers show hairlines between them.
    const double left = width * k / steps, right = std::min(width, width * (k + 1.5) / steps);
    svg.rect(x + left, y + 16.0, right - left, height, {{"fill", hex(bar.color(value))}});
  }
  svg.rect(x, y + 16.0, width, height, {{"fill", "none"}, {"stroke", "#555555"}, {"stroke-width", 0.5}});
  for (std::size_t k = 0; k < bar.ticks.size(); ++k) {
    const double tick = x + width * (bar.ticks[k] - bar.low) / (bar.high - bar.low);
    svg.line(tick, y + 16.0 + height, tick, y + 19.0 + height, {{"stroke", "#555555"}, {"stroke-width", 0.8}});
    svg.text(tick, y + 30.0 + height, bar.labels[k], {{"font-size", 10.0}, {"text-anchor", "middle"}});
  }
}

double category_legend_width(std::span<const LegendEntry> entries, int rows_per_column) {
  const auto columns = (static_cast<int>(entries.size()) + rows_per_column - 1) / rows_per_column;
  return column_width(entries) * columns;
}

void draw_category_legend(Svg& svg, double x, double y, std::span<const LegendEntry> entries, int rows_per_column) {
  const double stride = column_width(entries);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const auto column = static_cast<int>(k) / rows_per_column, row = static_cast<int>(k) % rows_per_column;
    const double left = x + stride * column, middle = y + kRowHeight * (row + 0.5);
    svg.circle(left + 5.0, middle, 4.5, {{"fill", entries[k].color}});
    svg.text(left + 14.0, middle + 4.0, shorten(entries[k].name, kLegendFontSize, kLegendNameWidth),
             {{"font-size", kLegendFontSize}}, entries[k].name);
  }
}

}  // namespace thalweg
