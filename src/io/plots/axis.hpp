// Axes: scales, ticks at round numbers, and their drawing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/plots/svg.hpp"

namespace thalweg {

/// Positions on an axis and their labels.
struct Ticks {
  std::vector<double> values;
  std::vector<std::string> labels;
};

/// Largest of 1, 2, 5 times a power of ten that is <= x, for x > 0.
double round_down(double x);

/// Multiples of 1, 2 or 5 times a power of ten in [low, high], about `count` of them (at least one;
/// the midpoint where the range is empty).
Ticks linear_ticks(double low, double high, int count);

/// For a logarithmic axis, 0 < low <= high: powers of ten (every k-th so that about `count` remain);
/// 1, 2, 5 times powers of ten below two decades; linear ticks where the range is narrower still.
Ticks log_ticks(double low, double high, int count);

/// A scale from values to pixels. On a logarithmic scale values must be positive.
struct Axis {
  double low = 0.0, high = 1.0;              ///< low < high
  double pixel_low = 0.0, pixel_high = 1.0;  ///< pixels of low and high
  bool logarithmic = false;

  double pixel(double value) const;
  Ticks ticks(int count) const { return logarithmic ? log_ticks(low, high, count) : linear_ticks(low, high, count); }
};

/// An axis over [low, high] with a margin of 4 % of its length at both ends; an empty range is widened.
Axis padded_axis(double low, double high, bool logarithmic);

/// Ticks, labels and title at the left of a panel that spans x to x_right, with light grid lines across it.
void draw_left_axis(Svg& svg, const Axis& axis, double x, double x_right, std::string_view title);

/// Ticks, labels and title below a panel whose lower edge is y.
void draw_bottom_axis(Svg& svg, const Axis& axis, double y, std::string_view title);

}  // namespace thalweg
