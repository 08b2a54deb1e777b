// Checks and selections on a DifferentiationMap that its plots and exports share.
#include <cmath>
#include <map>

#include "distributed/error.hpp"
#include "io/plots/differentiation_map.hpp"
#include "io/plots/palette.hpp"

namespace thalweg {

void check_map(const DifferentiationMap& map) {
  const auto num_slices = static_cast<int>(map.times.size());
  std::vector<int> sizes(map.times.size(), 0);
  for (const auto& node : map.nodes) {
    if (node.slice < 0 || node.slice >= num_slices) {
      throw DataError("type '" + node.name + "' in slice " + std::to_string(node.slice) +
                      " of the differentiation map; it has slices 0 to " + std::to_string(num_slices - 1) +
                      "; give every type a slice of the map");
    }
    ++sizes[static_cast<std::size_t>(node.slice)];
  }
  for (const auto& edge : map.edges) {
    const bool known = edge.slice >= 0 && edge.slice + 1 < num_slices && edge.source >= 0 && edge.target >= 0 &&
                       edge.source < sizes[static_cast<std::size_t>(edge.slice)] &&
                       edge.target < sizes[static_cast<std::size_t>(edge.slice) + 1];
    if (known) continue;
    throw DataError("edge from type " + std::to_string(edge.source) + " to type " + std::to_string(edge.target) +
                    " after slice " + std::to_string(edge.slice) +
                    " of the differentiation map; no such types in these slices; number types within their slice");
  }
}

std::vector<std::vector<std::size_t>> nodes_by_slice(const DifferentiationMap& map) {
  std::vector<std::vector<std::size_t>> slices(map.times.size());
  for (std::size_t k = 0; k < map.nodes.size(); ++k) slices[static_cast<std::size_t>(map.nodes[k].slice)].push_back(k);
  return slices;
}

std::vector<std::size_t> drawn_edges(const DifferentiationMap& map, double threshold) {
  std::vector<std::size_t> drawn;
  for (std::size_t k = 0; k < map.edges.size(); ++k) {
    const auto& edge = map.edges[k];
    if (edge.mass > 0.0 && (edge.forward >= threshold || edge.ancestor >= threshold)) drawn.push_back(k);
  }
  return drawn;
}

std::vector<std::string> node_colors(const DifferentiationMap& map) {
  std::map<std::string, int> index_of;
  std::vector<std::string> colors;
  for (const auto& node : map.nodes) {
    const auto& key = node.annotation.empty() ? node.name : node.annotation;
    const int index = index_of.emplace(key, static_cast<int>(index_of.size())).first->second;
    const Rgb color = categorical_color(index);
    colors.push_back(hex(node.color.empty() ? color : parse_color(node.color, color)));
  }
  return colors;
}

}  // namespace thalweg
