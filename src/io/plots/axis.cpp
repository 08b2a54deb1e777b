#include "io/plots/axis.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/plots/plot.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

/// Smallest of 1, 2, 5 times a power of ten that is >= x.
double round_up(double x) {
  const double decade = std::pow(10.0, std::floor(std::log10(x)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * decade >= x * (1.0 - 1e-9)) return factor * decade;
  }
  return 10.0 * decade;
}

/// A tick value to the precision of the step.
std::string tick_label(double value, double step, double largest) {
  const int step_exponent = static_cast<int>(std::floor(std::log10(step) + 1e-9));
  char buffer[64];
  if (largest < 1e6 && step > 1e-5) {
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, std::max(0, -step_exponent));
    const std::string out(buffer, end.ptr);
    return out.find_first_not_of("-0.") == std::string::npos ? "0" : out;
  }
  if (std::abs(value) < 0.5 * step) return "0";
  const int digits = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9)) - step_exponent;
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific, std::clamp(digits, 0, 15));
  return short_exponent({buffer, end.ptr});
}

std::string power_of_ten(int exponent) {
  static const std::string digits[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                       "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  if (exponent == 0) return "1";
  if (exponent == 1) return "10";
  std::string out = exponent < 0 ? "10\u207b" : "10";
  for (const char c : std::to_string(std::abs(exponent))) out += digits[c - '0'];
  return out;
}

Ticks decade_ticks(int first, int last, int count) {
  const int stride = std::max(1, (last - first + count) / std::max(1, count));
  Ticks ticks;
  for (int exponent = first; exponent <= last; ++exponent) {
    if (exponent % stride != 0) continue;
    ticks.values.push_back(std::pow(10.0, exponent));
    ticks.labels.push_back(power_of_ten(exponent));
  }
  return ticks;
}

Ticks one_two_five_ticks(double low, double high) {
  Ticks ticks;
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, exponent) <= high; ++exponent) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, exponent);
      if (value < low * (1.0 - 1e-9) || value > high * (1.0 + 1e-9)) continue;
      ticks.values.push_back(value);
      ticks.labels.push_back(significant(value, 3));
    }
  }
  return ticks;
}

}  // namespace

double round_down(double x) {
  const double above = round_up(x);
  if (above <= x * (1.0 + 1e-9)) return above;
  return std::log10(above) - std::floor(std::log10(above) + 1e-9) > 0.5 ? 0.4 * above : 0.5 * above;
}

Ticks linear_ticks(double low, double high, int count) {
  const double largest = std::max(std::abs(low), std::abs(high));
  // Below 1e-12 of the values, labels of neighbouring ticks could no longer differ.
  if (!(high - low > 1e-12 * largest)) return {{low}, {significant(low, 4)}};
  const double step = round_up((high - low) / std::max(1, count));
  Ticks ticks;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1.0) {
    ticks.values.push_back(k == 0.0 ? 0.0 : k * step);
    ticks.labels.push_back(tick_label(k * step, step, largest));
  }
  if (ticks.values.empty()) return {{0.5 * (low + high)}, {significant(0.5 * (low + high), 4)}};
  return ticks;
}

Ticks log_ticks(double low, double high, int count) {
  const double decades = std::log10(high / low);
  if (decades >= 2.0) {
    const Ticks ticks = decade_ticks(static_cast<int>(std::ceil(std::log10(low) - 1e-9)),
                                     static_cast<int>(std::floor(std::log10(high) + 1e-9)), count);
    if (!ticks.values.empty()) return ticks;
  }
  const Ticks ticks = one_two_five_ticks(low, high);
  return ticks.values.size() >= 3 ? ticks : linear_ticks(low, high, count);
}

double Axis::pixel(double value) const {
  const double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return pixel_low + share * (pixel_high - pixel_low);
}

Axis padded_axis(double low, double high, bool logarithmic) {
  constexpr double margin = 0.04;
  Axis axis;
  axis.logarithmic = logarithmic;
  if (logarithmic) {
    const double ratio = std::max(high / low, 1.0 + 1e-9);
    const double factor = high > low ? std::pow(ratio, margin) : 1.5;
    axis.low = low / factor, axis.high = high * factor;
  } else {
    const double pad = high > low ? margin * (high - low) : std::max(0.5 * std::abs(low), 0.5);
    axis.low = low - pad, axis.high = high + pad;
  }
  return axis;
}

void draw_left_axis(Svg& svg, const Axis& axis, double x, double x_right, std::string_view title) {
  const Ticks ticks = axis.ticks(5);
  double widest = 0.0;
  for (std::size_t k = 0; k < ticks.values.size(); ++k) {
    const double y = axis.pixel(ticks.values[k]);
    svg.line(x, y, x_right, y, {{"stroke", "#e4e4e4"}});
    svg.line(x - 4.0, y, x, y, {{"stroke", "#333333"}});
    svg.text(x - 7.0, y + 4.0, ticks.labels[k], {{"text-anchor", "end"}, {"font-size", 11.0}});
    widest = std::max(widest, text_width(ticks.labels[k], 11.0));
  }
  svg.line(x, axis.pixel_low, x, axis.pixel_high, {{"stroke", "#333333"}});
  const double title_x = x - 17.0 - widest, title_y = 0.5 * (axis.pixel_low + axis.pixel_high);
  svg.text(title_x, title_y, title,
           {{"text-anchor", "middle"},
            {"transform", "rotate(-90 " + svg_number(title_x) + ' ' + svg_number(title_y) + ')'}});
}

void draw_bottom_axis(Svg& svg, const Axis& axis, double y, std::string_view title) {
  const Ticks ticks = axis.ticks(8);
  for (std::size_t k = 0; k < ticks.values.size(); ++k) {
    const double x = axis.pixel(ticks.values[k]);
    svg.line(x, y, x, y + 4.0, {{"stroke", "#333333"}});
    svg.text(x, y + 17.0, ticks.labels[k], {{"text-anchor", "middle"}, {"font-size", 11.0}});
  }
  svg.line(axis.pixel_low, y, axis.pixel_high, y, {{"stroke", "#333333"}});
  svg.text(0.5 * (axis.pixel_low + axis.pixel_high), y + 35.0, title, {{"text-anchor", "middle"}});
}

}  // namespace thalweg
