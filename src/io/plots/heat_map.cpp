#include "io/plots/heat_map.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "distributed/error.hpp"
#include "io/plots/legend.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/png.hpp"
#include "io/plots/svg.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

constexpr double kLabelSize = 11.0;
constexpr double kLabelLimit = 170.0;
constexpr double kTopBars = 48.0, kRightBars = 62.0;
constexpr std::size_t kLargestCellMatrix = 60;
constexpr Rgb kUndefined{0xdd, 0xdd, 0xdd};

/// Marginals and sizes of the picture.
struct HeatMapLayout {
  std::vector<double> row_mass, column_mass;
  double cell_width = 0.0, cell_height = 0.0, number_size = 0.0;
  bool percents = false;
  bool upright = false;  ///< column labels: slanted ones would overlap on narrow cells
  double left = 0.0, top = 0.0, right = 0.0, bottom = 0.0;  ///< of the matrix
  double column_label_depth = 0.0;

  double x(std::size_t column) const { return left + cell_width * static_cast<double>(column); }
  double y(std::size_t row) const { return top + cell_height * static_cast<double>(row); }
};

void check_transition(const TransitionMatrix& t) {
  const std::size_t expected = t.source_names.size() * t.target_names.size();
  if (t.mass.size() == expected) return;
  throw DataError("transition with " + std::to_string(t.mass.size()) + " masses in the heat map " + t.source_time +
                  " to " + t.target_time + "; it has " + std::to_string(t.source_names.size()) + " source and " +
                  std::to_string(t.target_names.size()) + " target types; give one mass for each pair");
}

double mass_at(const TransitionMatrix& t, std::size_t row, std::size_t column) {
  const double mass = t.mass[row * t.target_names.size() + column];
  return std::isfinite(mass) && mass > 0.0 ? mass : 0.0;
}

/// Cells shrink as types become many: numbers with two decimals, then whole per cents, then none.
void choose_cells(std::size_t largest, HeatMapLayout& layout) {
  if (largest <= 16) {
    layout.cell_width = 40.0, layout.cell_height = 26.0, layout.number_size = 10.5;
  } else if (largest <= 28) {
    layout.cell_width = 30.0, layout.cell_height = 21.0, layout.number_size = 9.5;
  } else {
    layout.percents = largest <= kLargestCellMatrix;
    layout.cell_width = layout.percents ? 20.0 : 14.0;
    layout.cell_height = layout.percents ? 16.0 : 14.0;
    layout.number_size = layout.percents ? 8.5 : 0.0;
  }
}

double widest(const std::vector<std::string>& names) {
  double width = 0.0;
  for (const auto& name : names) width = std::max(width, text_width(name, kLabelSize));
  return std::min(width, kLabelLimit);
}

HeatMapLayout layout_heat_map(const TransitionMatrix& t) {
  HeatMapLayout layout;
  const std::size_t rows = t.source_names.size(), columns = t.target_names.size();
  layout.row_mass.assign(rows, 0.0);
  layout.column_mass.assign(columns, 0.0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      layout.row_mass[i] += mass_at(t, i, j);
      layout.column_mass[j] += mass_at(t, i, j);
    }
  }
  choose_cells(std::max(rows, columns), layout);
  layout.upright = layout.cell_width < 1.5 * kLabelSize;
  layout.column_label_depth = widest(t.target_names) * (layout.upright ? 1.0 : std::numbers::sqrt2 / 2.0) + 18.0;
  const double overhang = layout.upright ? 0.0 : layout.column_label_depth - 0.5 * layout.cell_width + 10.0;
  layout.left = std::max(widest(t.source_names) + 44.0, overhang);
  layout.top = 42.0 + kTopBars + 14.0;
  layout.right = layout.x(columns);
  layout.bottom = layout.y(rows);
  return layout;
}

std::string fixed_text(double value, int decimals) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, decimals).ptr};
}

/// The number printed in a cell; empty where it would round to zero or there is no room.
std::string cell_text(double forward, const HeatMapLayout& layout) {
  if (layout.number_size == 0.0 || forward < 0.005) return {};
  return layout.percents ? fixed_text(100.0 * forward, 0) : fixed_text(forward, 2);
}

double forward_at(const TransitionMatrix& t, const HeatMapLayout& layout, std::size_t row, std::size_t column) {
  return layout.row_mass[row] > 0.0 ? mass_at(t, row, column) / layout.row_mass[row] : 0.0;
}

std::string cell_tooltip(const TransitionMatrix& t, const HeatMapLayout& layout, std::size_t row, std::size_t column) {
  return t.source_names[row] + " \u2192 " + t.target_names[column] + "\nmass " + significant(mass_at(t, row, column)) +
         "\nforward " + (layout.row_mass[row] > 0.0 ? significant(forward_at(t, layout, row, column)) : "n/a");
}

void draw_cell(Svg& svg, const TransitionMatrix& t, const HeatMapLayout& layout, std::size_t row, std::size_t column) {
  const double forward = forward_at(t, layout, row, column);
  const Rgb fill = layout.row_mass[row] > 0.0 ? sequential_color(forward) : kUndefined;
  svg.rect(layout.x(column), layout.y(row), layout.cell_width, layout.cell_height, {{"fill", hex(fill)}},
           cell_tooltip(t, layout, row, column));
  const std::string number = cell_text(forward, layout);
  if (number.empty()) return;
  svg.text(layout.x(column) + 0.5 * layout.cell_width,
           layout.y(row) + 0.5 * layout.cell_height + 0.36 * layout.number_size, number,
           {{"text-anchor", "middle"},
            {"font-size", layout.number_size},
            {"fill", hex(text_color(fill))},
            {"stroke", "none"},
            {"pointer-events", "none"}});
}

/// The matrix as an image of 254 colours; each cell has several pixels, so that smoothing viewers keep it sharp.
IndexedImage matrix_image(const TransitionMatrix& t, const HeatMapLayout& layout) {
  constexpr int levels = 254;
  const auto rows = static_cast<std::int32_t>(layout.row_mass.size());
  const auto columns = static_cast<std::int32_t>(layout.column_mass.size());
  const std::int32_t block = std::clamp(800 / std::max(rows, columns), 1, 8);
  IndexedImage image{columns * block, rows * block, {}, {{kUndefined.red, kUndefined.green, kUndefined.blue, 255}}};
  for (int level = 0; level < levels; ++level) {
    const Rgb color = sequential_color(static_cast<double>(level) / (levels - 1));
    image.palette.push_back({color.red, color.green, color.blue, 255});
  }
  for (std::int32_t y = 0; y < image.height; ++y) {
    for (std::int32_t x = 0; x < image.width; ++x) {
      const auto row = static_cast<std::size_t>(y / block), column = static_cast<std::size_t>(x / block);
      const bool defined = layout.row_mass[row] > 0.0;
      const auto level = std::lround(forward_at(t, layout, row, column) * (levels - 1));
      image.pixels.push_back(static_cast<std::uint8_t>(defined ? 1 + level : 0));
    }
  }
  return image;
}

/// Beyond kLargestCellMatrix types an image, with tooltips on the larger shares only: files stay small.
void draw_cells(Svg& svg, const TransitionMatrix& t, const HeatMapLayout& layout) {
  const std::size_t rows = layout.row_mass.size(), columns = layout.column_mass.size();
  const bool as_image = std::max(rows, columns) > kLargestCellMatrix && std::min(rows, columns) > 0;
  const double width = layout.right - layout.left, height = layout.bottom - layout.top;
  if (as_image) svg.png(layout.left, layout.top, width, height, encode_png(matrix_image(t, layout)));
  svg.begin_group(as_image ? SvgAttributes{{"fill", "none"}, {"pointer-events", "all"}}
                           : SvgAttributes{{"stroke", "#ffffff"}, {"stroke-width", 0.8}});
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      if (!as_image) {
        draw_cell(svg, t, layout, i, j);
      } else if (forward_at(t, layout, i, j) >= 0.1) {
        svg.rect(layout.x(j), layout.y(i), layout.cell_width, layout.cell_height, {}, cell_tooltip(t, layout, i, j));
      }
    }
  }
  svg.end_group();
  svg.rect(layout.left, layout.top, width, height, {{"fill", "none"}, {"stroke", "#777777"}, {"stroke-width", 0.8}});
}

/// Before the name of an end: a side says which one it is by its name.
std::string end_label(const std::string& end, const TransitionMatrix& t) {
  return t.slice_noun == "time" ? end + ", time " : t.slice_noun + " ";
}

void draw_labels(Svg& svg, const TransitionMatrix& t, const HeatMapLayout& layout) {
  for (std::size_t i = 0; i < t.source_names.size(); ++i) {
    svg.text(layout.left - 6.0, layout.y(i) + 0.5 * layout.cell_height + 4.0,
             shorten(t.source_names[i], kLabelSize, kLabelLimit), {{"text-anchor", "end"}, {"font-size", kLabelSize}},
             t.source_names[i]);
  }
  for (std::size_t j = 0; j < t.target_names.size(); ++j) {
    const double x = layout.x(j) + 0.5 * layout.cell_width + 4.0, y = layout.bottom + (layout.upright ? 6.0 : 12.0);
    const std::string turn = layout.upright ? "rotate(-90 " : "rotate(-45 ";
    svg.text(x, y, shorten(t.target_names[j], kLabelSize, kLabelLimit),
             {{"text-anchor", "end"},
              {"font-size", kLabelSize},
              {"transform", turn + svg_number(x) + ' ' + svg_number(y) + ')'}},
             t.target_names[j]);
  }
  const double title_x = layout.left - widest(t.source_names) - 20.0, title_y = 0.5 * (layout.top + layout.bottom);
  svg.text(title_x, title_y, end_label("source", t) + shorten(t.source_time, 12.0, 120.0),
           {{"text-anchor", "middle"},
            {"transform", "rotate(-90 " + svg_number(title_x) + ' ' + svg_number(title_y) + ')'}});
  svg.text(0.5 * (layout.left + layout.right), layout.bottom + layout.column_label_depth + 14.0,
           end_label("target", t) + t.target_time, {{"text-anchor", "middle"}});
}

/// Bars of both marginals on one scale of their own, each with its mass where there is room.
void draw_margins(Svg& svg, const TransitionMatrix& t, const HeatMapLayout& layout) {
  const SvgAttributes style{{"fill", "#8a8a8a"}};
  const SvgAttributes number{{"font-size", 9.0}, {"fill", "#444444"}};
  const auto peak = [](const std::vector<double>& mass) {
    return mass.empty() ? 0.0 : *std::max_element(mass.begin(), mass.end());
  };
  const double largest = std::max(peak(layout.row_mass), peak(layout.column_mass));
  const double scale = largest > 0.0 ? 1.0 / largest : 0.0;
  for (std::size_t i = 0; i < layout.row_mass.size(); ++i) {
    const double length = scale * layout.row_mass[i] * kRightBars, thickness = 0.62 * layout.cell_height;
    const double middle = layout.y(i) + 0.5 * layout.cell_height;
    svg.rect(layout.right + 6.0, middle - 0.5 * thickness, length, thickness, style,
             t.source_names[i] + "\nmass " + significant(layout.row_mass[i]));
    if (layout.number_size > 0.0)
      svg.text(layout.right + 10.0 + length, middle + 3.2, significant(layout.row_mass[i], 2), number);
  }
  for (std::size_t j = 0; j < layout.column_mass.size(); ++j) {
    const double length = scale * layout.column_mass[j] * kTopBars, thickness = 0.62 * layout.cell_width;
    const double middle = layout.x(j) + 0.5 * layout.cell_width, end = layout.top - 6.0 - length;
    svg.rect(middle - 0.5 * thickness, end, thickness, length, style,
             t.target_names[j] + "\nmass " + significant(layout.column_mass[j]));
    const std::string text = significant(layout.column_mass[j], 2);
    if (text_width(text, 9.0) > layout.cell_width - 1.0) continue;
    auto centred = number;
    centred.emplace_back("text-anchor", "middle");
    svg.text(middle, end - 3.0, text, centred);
  }
}

std::string transition_caption(const HeatMapLayout& layout) {
  std::string out =
      "Rows sum to one: colour and numbers are the share of each source type that flows to each target type";
  if (layout.percents) out += ", in per cent";
  out += layout.number_size > 0.0 ? "; shares below 0.005 are not printed. " : ". ";
  out += "Grey bars: mass of each type, on one scale.";
  const bool empty_row = std::find(layout.row_mass.begin(), layout.row_mass.end(), 0.0) != layout.row_mass.end();
  return out + (empty_row ? " Grey rows: types without mass." : "");
}

PlotTable transition_table(const TransitionMatrix& t, const HeatMapLayout& layout) {
  PlotTable table{{"source_time", "source", "source_mass", "target_time", "target", "target_mass", "mass", "forward"},
                  {}};
  for (std::size_t i = 0; i < t.source_names.size(); ++i) {
    for (std::size_t j = 0; j < t.target_names.size(); ++j) {
      const double mass = mass_at(t, i, j);
      table.rows.push_back({t.source_time, t.source_names[i], table_cell(layout.row_mass[i]), t.target_time,
                            t.target_names[j], table_cell(layout.column_mass[j]), table_cell(mass),
                            layout.row_mass[i] > 0.0 ? table_cell(mass / layout.row_mass[i]) : ""});
    }
  }
  return table;
}

}  // namespace

TransitionMatrix transition_matrix(const DifferentiationMap& map, int slice) {
  check_map(map);
  if (slice < 0 || slice + 1 >= static_cast<int>(map.times.size())) {
    throw DataError("transition " + std::to_string(slice) + " of a differentiation map with " +
                    std::to_string(map.times.size()) + " times; allowed: 0 to " +
                    std::to_string(static_cast<int>(map.times.size()) - 2) + "; name one of these");
  }
  const auto slices = nodes_by_slice(map);
  const auto first = static_cast<std::size_t>(slice);
  TransitionMatrix t{map.times[first], map.times[first + 1], {}, {}, {}, map.title, map.slice_noun};
  for (const std::size_t k : slices[first]) t.source_names.push_back(map.nodes[k].name);
  for (const std::size_t k : slices[first + 1]) t.target_names.push_back(map.nodes[k].name);
  t.mass.assign(t.source_names.size() * t.target_names.size(), 0.0);
  for (const auto& edge : map.edges) {
    if (edge.slice != slice) continue;
    t.mass[static_cast<std::size_t>(edge.source) * t.target_names.size() + static_cast<std::size_t>(edge.target)] +=
        edge.mass;
  }
  return t;
}

Plot plot_transition(const TransitionMatrix& transition) {
  check_transition(transition);
  const HeatMapLayout layout = layout_heat_map(transition);
  const std::string caption = transition_caption(layout);
  const double width = std::max(420.0, layout.right + 6.0 + kRightBars + 44.0);
  const double legend_y = layout.bottom + layout.column_label_depth + 32.0, caption_y = legend_y + 50.0;
  Svg svg(width, caption_y + caption_height(caption, width - 28.0) + 12.0,
          "Transition " + transition.source_time + " to " + transition.target_time + ". " + transition.title);
  draw_title(svg, 14.0, width - 28.0, transition.title);
  draw_cells(svg, transition, layout);
  draw_labels(svg, transition, layout);
  draw_margins(svg, transition, layout);
  draw_color_bar(svg, 22.0, legend_y, 190.0,
                 {0.0,
                  1.0,
                  sequential_color,
                  "share of the source type",
                  {0.0, 0.25, 0.5, 0.75, 1.0},
                  layout.percents ? std::vector<std::string>{"0 %", "25 %", "50 %", "75 %", "100 %"}
                                  : std::vector<std::string>{"0", "0.25", "0.5", "0.75", "1"}});
  draw_caption(svg, 14.0, caption_y, width - 28.0, caption);
  return {svg.str(), transition_table(transition, layout)};
}

}  // namespace thalweg
