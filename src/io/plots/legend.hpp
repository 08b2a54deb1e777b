// Parts that several plots share: titles, captions, colour bars, category legends.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/plots/palette.hpp"
#include "io/plots/svg.hpp"

namespace thalweg {

inline constexpr double kCaptionFontSize = 11.0;
inline constexpr double kCaptionLineHeight = 15.0;

/// Height of the caption when wrapped at `width`.
double caption_height(std::string_view caption, double width);

/// The caption in grey, wrapped, its first line below y.
void draw_caption(Svg& svg, double x, double y, double width, std::string_view caption);

/// The title in bold, shortened to `width`, its baseline 22 px below the top edge.
void draw_title(Svg& svg, double x, double width, std::string_view title);

/// A horizontal colour bar over [low, high] with its title above it and labelled ticks below; 44 px high.
struct ColorBar {
  double low = 0.0, high = 1.0;
  std::function<Rgb(double)> color;  ///< of a value
  std::string title;
  std::vector<double> ticks;
  std::vector<std::string> labels;
};
void draw_color_bar(Svg& svg, double x, double y, double width, const ColorBar& bar);

/// One entry of a category legend.
struct LegendEntry {
  std::string name;
  std::string color;
};

/// Size of a category legend in columns of `rows_per_column` entries.
double category_legend_width(std::span<const LegendEntry> entries, int rows_per_column);

/// Dots and names, column by column, 16 px a row.
void draw_category_legend(Svg& svg, double x, double y, std::span<const LegendEntry> entries, int rows_per_column);

}  // namespace thalweg
