#include "io/plots/flow_layout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/plots/layered_layout.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

constexpr double kMargin = 14.0;
constexpr double kBarGap = 9.0;
constexpr double kLabelGap = 5.0;
constexpr double kMinBarHeight = 1.5;
constexpr double kMinRibbonWidth = 0.7;
constexpr int kAlignmentSweeps = 30;

using Slices = std::vector<std::vector<std::size_t>>;

double usable_mass(double mass) { return std::isfinite(mass) && mass > 0.0 ? mass : 0.0; }

std::string label_text(const MapNode& node) {
  if (node.annotation.empty() || node.annotation == node.name) return node.name;
  return node.name + " \u00b7 " + node.annotation;
}

/// Nodes of each slice from top to bottom.
Slices ordered_slices(const DifferentiationMap& map, const Slices& slices, std::span<const std::size_t> drawn) {
  LayeredGraph graph;
  for (const auto& slice : slices) graph.layer_sizes.push_back(static_cast<int>(slice.size()));
  for (const std::size_t k : drawn) {
    const auto& edge = map.edges[k];
    graph.links.push_back({edge.slice, edge.source, edge.target, usable_mass(edge.mass)});
  }
  Slices ordered;
  for (const auto& order : reduce_crossings(graph)) {
    const auto& slice = slices[ordered.size()];
    ordered.emplace_back();
    for (const int index : order) ordered.back().push_back(slice[static_cast<std::size_t>(index)]);
  }
  return ordered;
}

/// Pixels per unit of mass: the heaviest slice gets 300 px of bars, more when there are many types.
double mass_scale(const DifferentiationMap& map, const Slices& slices) {
  double heaviest = 0.0;
  std::size_t largest = 0;
  for (const auto& slice : slices) {
    double mass = 0.0;
    for (const std::size_t k : slice) mass += usable_mass(map.nodes[k].mass);
    heaviest = std::max(heaviest, mass);
    largest = std::max(largest, slice.size());
  }
  const double pixels = 300.0 + 5.0 * std::max(0.0, static_cast<double>(largest) - 10.0);
  return heaviest > 0.0 ? pixels / heaviest : 1.0;
}

/// Least distances between the centres of neighbours in a column.
std::vector<double> center_gaps(const std::vector<std::size_t>& column, const std::vector<FlowBar>& bars) {
  std::vector<double> gaps;
  for (std::size_t p = 0; p + 1 < column.size(); ++p) {
    const double touching = 0.5 * (bars[column[p]].height + bars[column[p + 1]].height);
    gaps.push_back(std::max(touching + kBarGap, kLabelLineHeight));
  }
  return gaps;
}

/// Room that a node needs above and below its centre.
double half_extent(const FlowBar& bar) { return 0.5 * std::max(bar.height, kLabelLineHeight); }

double column_extent(const std::vector<std::size_t>& column, const std::vector<FlowBar>& bars) {
  if (column.empty()) return 0.0;
  const auto gaps = center_gaps(column, bars);
  return std::accumulate(gaps.begin(), gaps.end(),
                         half_extent(bars[column.front()]) + half_extent(bars[column.back()]));
}

/// Weighted mean centre of the neighbours of each node.
struct Pull {
  std::vector<double> sum, weight;
};

Pull pulls(const DifferentiationMap& map, const Slices& slices, std::span<const FlowRibbon> ribbons,
           const std::vector<FlowBar>& bars) {
  Pull pull{std::vector<double>(bars.size(), 0.0), std::vector<double>(bars.size(), 0.0)};
  for (const auto& ribbon : ribbons) {
    const auto& edge = map.edges[ribbon.edge];
    const auto layer = static_cast<std::size_t>(edge.slice);
    const auto source = slices[layer][static_cast<std::size_t>(edge.source)];
    const auto target = slices[layer + 1][static_cast<std::size_t>(edge.target)];
    pull.sum[source] += ribbon.width * bars[target].center, pull.weight[source] += ribbon.width;
    pull.sum[target] += ribbon.width * bars[source].center, pull.weight[target] += ribbon.width;
  }
  return pull;
}

/// Moves the bars of one column towards their neighbours, in order and apart.
void align_column(const std::vector<std::size_t>& column, const Pull& pull, FlowLayout& layout) {
  if (column.empty()) return;
  std::vector<double> desired, weights;
  for (const std::size_t k : column) {
    desired.push_back(pull.weight[k] > 0.0 ? pull.sum[k] / pull.weight[k] : layout.bars[k].center);
    weights.push_back(pull.weight[k] + 0.1);
  }
  const auto centers = separated_positions(desired, weights, center_gaps(column, layout.bars),
                                           layout.top + half_extent(layout.bars[column.front()]),
                                           layout.bottom - half_extent(layout.bars[column.back()]));
  for (std::size_t p = 0; p < column.size(); ++p) layout.bars[column[p]].center = centers[p];
}

void place_centers(const DifferentiationMap& map, const Slices& slices, const Slices& ordered, FlowLayout& layout) {
  for (const auto& column : ordered) {
    double y = 0.5 * (layout.top + layout.bottom - column_extent(column, layout.bars));
    const auto gaps = center_gaps(column, layout.bars);
    for (std::size_t p = 0; p < column.size(); ++p) {
      y += p == 0 ? half_extent(layout.bars[column[p]]) : gaps[p - 1];
      layout.bars[column[p]].center = y;
    }
  }
  for (int sweep = 0; sweep < kAlignmentSweeps; ++sweep) {
    for (std::size_t k = 0; k < ordered.size(); ++k) {
      const std::size_t layer = sweep % 2 == 0 ? k : ordered.size() - 1 - k;
      align_column(ordered[layer], pulls(map, slices, layout.ribbons, layout.bars), layout);
    }
  }
}

/// Widest label among the nodes of the slices in [begin, end), at most `limit`.
double widest_label(const DifferentiationMap& map, const Slices& slices, std::size_t begin, std::size_t end,
                    double limit) {
  double widest = 0.0;
  for (std::size_t slice = begin; slice < end; ++slice) {
    for (const std::size_t k : slices[slice])
      widest = std::max(widest, text_width(label_text(map.nodes[k]), kLabelFontSize));
  }
  return std::min(widest, limit);
}

/// Labels stand left of the first column, right of the others; those between columns lie on the ribbons.
void place_columns(const DifferentiationMap& map, const Slices& slices, FlowLayout& layout) {
  const std::size_t count = slices.size();
  constexpr double outer_limit = 190.0, inner_limit = 130.0;
  const double left = count > 1 ? widest_label(map, slices, 0, 1, outer_limit) : 0.0;
  const double right = count > 0 ? widest_label(map, slices, count - 1, count, outer_limit) : 0.0;
  const double inner = count > 2 ? widest_label(map, slices, 1, count - 1, inner_limit) : 0.0;
  // Tall pictures are wider too, or their ribbons would be steep.
  const double height = layout.bottom - layout.top;
  const double least_stride =
      count == 2 ? std::clamp(0.3 * height, 300.0, 600.0) : std::clamp(0.13 * height, 125.0, 280.0);
  layout.column_stride = std::max(least_stride, std::min(inner + kBarWidth + 2.0 * kLabelGap + 14.0, 170.0));
  const double first = kMargin + std::max(left + kLabelGap, 36.0);
  for (std::size_t slice = 0; slice < count; ++slice) {
    layout.column_x.push_back(first + layout.column_stride * static_cast<double>(slice));
    const bool outer_left = count > 1 && slice == 0, outer_right = slice + 1 == count;
    const double limit = outer_left ? left : outer_right ? right : layout.column_stride - kBarWidth - 2.0 * kLabelGap;
    for (const std::size_t k : slices[slice]) {
      FlowBar& bar = layout.bars[k];
      bar.x = layout.column_x.back();
      bar.label_x = outer_left ? bar.x - kLabelGap : bar.x + kBarWidth + kLabelGap;
      bar.anchor = outer_left ? "end" : "start";
      bar.label = shorten(label_text(map.nodes[k]), kLabelFontSize, limit + 0.5);
    }
  }
  const double last = count > 0 ? layout.column_x.back() + kBarWidth : 0.0;
  layout.width = std::max(520.0, last + std::max(right + kLabelGap, 36.0) + kMargin);
}

/// Stacks the ends of all edges (hidden ones keep their room) at one side of each bar; more mass than
/// the bar has is pushed together, so that ribbons keep their width and stay on the bar.
void stack_ends(const DifferentiationMap& map, const Slices& slices, bool at_source, FlowLayout& layout,
                std::vector<double>& centers) {
  std::vector<std::vector<std::size_t>> ends(map.nodes.size());
  const auto node_of = [&](const MapEdge& edge, bool source) {
    return source ? slices[static_cast<std::size_t>(edge.slice)][static_cast<std::size_t>(edge.source)]
                  : slices[static_cast<std::size_t>(edge.slice) + 1][static_cast<std::size_t>(edge.target)];
  };
  for (std::size_t k = 0; k < map.edges.size(); ++k) ends[node_of(map.edges[k], at_source)].push_back(k);
  for (std::size_t node = 0; node < ends.size(); ++node) {
    auto& edges = ends[node];
    std::stable_sort(edges.begin(), edges.end(), [&](std::size_t a, std::size_t b) {
      return layout.bars[node_of(map.edges[a], !at_source)].center <
             layout.bars[node_of(map.edges[b], !at_source)].center;
    });
    double total = 0.0;
    for (const std::size_t k : edges) total += layout.scale * usable_mass(map.edges[k].mass);
    const FlowBar& bar = layout.bars[node];
    const double shrink = total > bar.height ? bar.height / total : 1.0;
    double y = bar.center - 0.5 * shrink * total;
    for (const std::size_t k : edges) {
      const double width = shrink * layout.scale * usable_mass(map.edges[k].mass);
      centers[k] = y + 0.5 * width;
      y += width;
    }
  }
}

}  // namespace

FlowLayout layout_flow(const DifferentiationMap& map, std::span<const std::size_t> drawn, double top) {
  FlowLayout layout;
  const auto slices = nodes_by_slice(map);
  const auto ordered = ordered_slices(map, slices, drawn);
  layout.scale = mass_scale(map, slices);
  layout.bars.resize(map.nodes.size());
  for (std::size_t k = 0; k < map.nodes.size(); ++k) {
    layout.bars[k].height = std::max(kMinBarHeight, layout.scale * usable_mass(map.nodes[k].mass));
  }
  for (const std::size_t k : drawn) {
    layout.ribbons.push_back({k, 0.0, 0.0, std::max(kMinRibbonWidth, layout.scale * usable_mass(map.edges[k].mass))});
  }
  std::stable_sort(layout.ribbons.begin(), layout.ribbons.end(),
                   [](const FlowRibbon& a, const FlowRibbon& b) { return a.width > b.width; });
  double extent = 0.0;
  for (const auto& column : ordered) extent = std::max(extent, column_extent(column, layout.bars));
  layout.top = top;
  layout.bottom = top + 1.04 * extent;
  place_columns(map, slices, layout);
  place_centers(map, slices, ordered, layout);
  std::vector<double> source_centers(map.edges.size()), target_centers(map.edges.size());
  stack_ends(map, slices, true, layout, source_centers);
  stack_ends(map, slices, false, layout, target_centers);
  for (auto& ribbon : layout.ribbons) {
    ribbon.source_center = source_centers[ribbon.edge];
    ribbon.target_center = target_centers[ribbon.edge];
  }
  return layout;
}

}  // namespace thalweg
