#include "io/plots/flow_drawing.hpp"

#include <algorithm>
#include <cmath>

#include "io/plots/axis.hpp"
#include "io/plots/legend.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

const MapNode& end_node(const DifferentiationMap& map, const std::vector<std::vector<std::size_t>>& slices,
                        const MapEdge& edge, bool source) {
  const auto slice = static_cast<std::size_t>(edge.slice);
  return map.nodes[source ? slices[slice][static_cast<std::size_t>(edge.source)]
                          : slices[slice + 1][static_cast<std::size_t>(edge.target)]];
}

std::string node_tooltip(const DifferentiationMap& map, const MapNode& node) {
  std::string out =
      node.name + "\n" + map.slice_noun + " " + map.times[static_cast<std::size_t>(node.slice)] + "\nmass " + significant(node.mass);
  if (node.cells > 0) out += "\ncells " + std::to_string(node.cells);
  if (node.confidence > 0.0) out += "\nmean confidence " + significant(node.confidence);
  if (!node.annotation.empty()) out += "\nannotation " + node.annotation;
  return out;
}

std::string edge_tooltip(const DifferentiationMap& map, const std::vector<std::vector<std::size_t>>& slices,
                         const MapEdge& edge) {
  const auto& source = end_node(map, slices, edge, true);
  const auto& target = end_node(map, slices, edge, false);
  std::string out = source.name + " (" + map.times[static_cast<std::size_t>(source.slice)] + ") \u2192 " + target.name +
                    " (" + map.times[static_cast<std::size_t>(target.slice)] + ")\nmass " + significant(edge.mass) +
                    "\nforward " + significant(edge.forward) + "\nancestor " + significant(edge.ancestor) + "\nNPMI " +
                    significant(edge.npmi);
  if (edge.share < 1.0) out += "\nin " + significant(100.0 * edge.share) + " % of bootstrap replicates";
  return out;
}

std::string ribbon_path(const FlowRibbon& ribbon, double x0, double x1) {
  const double half = 0.5 * ribbon.width;
  return SvgPath()
      .move_to(x0, ribbon.source_center - half)
      .flow_to(x1, ribbon.target_center - half)
      .line_to(x1, ribbon.target_center + half)
      .flow_to(x0, ribbon.source_center + half)
      .close()
      .data();
}

void draw_ribbons(Svg& svg, const DifferentiationMap& map, const FlowLayout& layout, const RibbonColor& color) {
  const auto slices = nodes_by_slice(map);
  const bool many = layout.ribbons.size() > kMostTooltips;
  svg.begin_group({{"fill-opacity", 0.82}, {"stroke-width", 0.5}});
  for (const auto& ribbon : layout.ribbons) {
    const auto& edge = map.edges[ribbon.edge];
    const auto slice = static_cast<std::size_t>(edge.slice);
    const std::string fill = color(ribbon.edge);
    SvgAttributes attributes{{"fill", fill}};
    if (!many) attributes.emplace_back("stroke", hex(darkened(parse_color(fill, {}), 0.3)));
    if (edge.share < 0.5) {
      attributes.insert(attributes.end(), {{"stroke-dasharray", "4 3"}, {"stroke-width", 1.0}, {"fill-opacity", 0.25}});
    }
    svg.path(ribbon_path(ribbon, layout.column_x[slice] + kBarWidth, layout.column_x[slice + 1]), attributes,
             many ? "" : edge_tooltip(map, slices, edge));
  }
  svg.end_group();
}

void draw_bars(Svg& svg, const DifferentiationMap& map, const FlowLayout& layout) {
  const auto colors = node_colors(map);
  for (std::size_t k = 0; k < map.nodes.size(); ++k) {
    const auto& bar = layout.bars[k];
    const double radius = std::min(3.0, 0.5 * bar.height);
    svg.rect(bar.x, bar.center - 0.5 * bar.height, kBarWidth, bar.height,
             {{"rx", radius},
              {"fill", colors[k]},
              {"stroke", hex(darkened(parse_color(colors[k], {}), 0.35))},
              {"stroke-width", 0.6}},
             node_tooltip(map, map.nodes[k]));
  }
}

/// Labels over white outlines of themselves, readable on any ribbon. Outlines are drawn as text of their own
/// rather than with `paint-order`, which several PDF converters ignore.
void draw_labels(Svg& svg, const DifferentiationMap& map, const FlowLayout& layout) {
  const bool tooltips = layout.ribbons.size() <= kMostTooltips;
  const auto write = [&](bool halo) {
    for (std::size_t k = 0; k < map.nodes.size(); ++k) {
      const auto& bar = layout.bars[k];
      svg.text(bar.label_x, bar.center + 0.35 * kLabelFontSize, bar.label,
               bar.anchor == "start" ? SvgAttributes{} : SvgAttributes{{"text-anchor", bar.anchor}},
               tooltips && !halo ? node_tooltip(map, map.nodes[k]) : "");
    }
    svg.end_group();
  };
  svg.begin_group({{"font-size", kLabelFontSize},
                   {"stroke", "#ffffff"},
                   {"stroke-width", 3.0},
                   {"stroke-linejoin", "round"},
                   {"stroke-opacity", 0.8},
                   {"aria-hidden", "true"}});
  write(true);
  svg.begin_group({{"font-size", kLabelFontSize}, {"fill", "#111111"}});
  write(false);
}

void draw_headers(Svg& svg, const DifferentiationMap& map, const FlowLayout& layout) {
  std::vector<std::int64_t> cells(map.times.size(), 0);
  for (const auto& node : map.nodes) cells[static_cast<std::size_t>(node.slice)] += node.cells;
  for (std::size_t slice = 0; slice < map.times.size(); ++slice) {
    const double x = layout.column_x[slice] + 0.5 * kBarWidth;
    const double room = std::min(layout.column_stride - 8.0, 2.0 * std::min(x, layout.width - x));
    svg.text(x, layout.top - 28.0, shorten(map.times[slice], 14.0, room),
             {{"text-anchor", "middle"}, {"font-weight", "bold"}, {"font-size", 13.0}}, map.times[slice]);
    if (cells[slice] == 0) continue;
    svg.text(x, layout.top - 13.0, shorten("n = " + grouped(cells[slice]), 10.5, room),
             {{"text-anchor", "middle"}, {"font-size", 10.5}, {"fill", "#555555"}});
  }
}

}  // namespace

void draw_flow(Svg& svg, const DifferentiationMap& map, const FlowLayout& layout, const RibbonColor& color) {
  draw_title(svg, 14.0, layout.width - 28.0, map.title);
  draw_headers(svg, map, layout);
  draw_ribbons(svg, map, layout, color);
  draw_bars(svg, map, layout);
  draw_labels(svg, map, layout);
}

std::vector<std::size_t> heaviest_edges(const DifferentiationMap& map, std::vector<std::size_t> edges) {
  if (edges.size() <= kMostRibbons) return edges;
  std::stable_sort(edges.begin(), edges.end(),
                   [&map](std::size_t a, std::size_t b) { return map.edges[a].mass > map.edges[b].mass; });
  edges.resize(kMostRibbons);
  std::sort(edges.begin(), edges.end());
  return edges;
}

void draw_mass_scale(Svg& svg, double x, double y, const FlowLayout& layout) {
  const double mass = round_down(40.0 / layout.scale);
  const double height = layout.scale * mass;
  svg.line(x, y, x, y + height, {{"stroke", "#333333"}, {"stroke-width", 3.0}});
  svg.text(x + 8.0, y + 0.5 * height + 4.0, "mass " + significant(mass), {{"font-size", 11.0}});
}

std::string percent(double share) {
  const double value = 100.0 * share;
  if (!(value > 0.0)) return "0";
  if (value < 0.01) return "< 0.01";
  if (value < 100.0 && value >= 99.5) return "> 99";
  return significant(value, value < 10.0 ? 2 : 3);
}

double hidden_share(const DifferentiationMap& map, const std::vector<std::size_t>& drawn) {
  double all = 0.0, shown = 0.0;
  for (const auto& edge : map.edges) all += edge.mass > 0.0 && std::isfinite(edge.mass) ? edge.mass : 0.0;
  for (const std::size_t k : drawn) shown += std::isfinite(map.edges[k].mass) ? map.edges[k].mass : 0.0;
  // Below rounding of the two sums nothing is hidden.
  return all > 0.0 && all - shown > 1e-14 * all ? (all - shown) / all : 0.0;
}

PlotTable flow_table(const DifferentiationMap& map, const std::vector<std::size_t>& drawn) {
  PlotTable table;
  table.header = {"kind",        "time", "name",    "annotation", "cells", "confidence", "next_time",
                  "target_name", "mass", "forward", "ancestor",   "npmi",  "share"};
  for (const auto& node : map.nodes) {
    table.rows.push_back({"node", map.times[static_cast<std::size_t>(node.slice)], node.name, node.annotation,
                          table_cell(node.cells), table_cell(node.confidence), "", "", table_cell(node.mass), "", "",
                          "", ""});
  }
  const auto slices = nodes_by_slice(map);
  for (const std::size_t k : drawn) {
    const auto& edge = map.edges[k];
    const auto slice = static_cast<std::size_t>(edge.slice);
    table.rows.push_back({"edge", map.times[slice], end_node(map, slices, edge, true).name, "", "", "",
                          map.times[slice + 1], end_node(map, slices, edge, false).name, table_cell(edge.mass),
                          table_cell(edge.forward), table_cell(edge.ancestor), table_cell(edge.npmi),
                          table_cell(edge.share)});
  }
  return table;
}

}  // namespace thalweg
