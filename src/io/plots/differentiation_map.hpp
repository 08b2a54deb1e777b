// The differentiation map: cell types at each time and how their mass flows to the next time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/plots/plot.hpp"

namespace thalweg {

/// A type of cells at one time.
struct MapNode {
  int slice = 0;  ///< index into DifferentiationMap::times
  std::string name;
  double mass = 0.0;
  std::int64_t cells = 0;
  double confidence = 0.0;  ///< mean membership probability of its cells, in [0, 1]
  std::string annotation;   ///< commonest label of its cells; empty = none
  std::string color;        ///< "#rrggbb"; empty = from the palette, by annotation or else by name
};

/// Mass that flows from a type at `slice` to a type at `slice + 1`; types count within their slice, in the
/// order of DifferentiationMap::nodes.
struct MapEdge {
  int slice = 0;
  int source = 0, target = 0;
  double mass = 0.0;
  double forward = 0.0;   ///< mass / mass of the source
  double ancestor = 0.0;  ///< mass / mass of the target
  double npmi = 0.0;      ///< normalised pointwise mutual information, [-1, 1]
  double share = 1.0;     ///< share of bootstrap replicates that draw the edge; below 0.5 it is dashed
};

struct DifferentiationMap {
  std::vector<std::string> times;
  std::vector<MapNode> nodes;
  std::vector<MapEdge> edges;
  std::string title;
  std::string slice_noun = "time";  ///< what `times` are; "side" for two groups of cells
};

/// Throws DataError unless every node lies in a slice and every edge joins nodes of neighbouring slices.
void check_map(const DifferentiationMap& map);

/// nodes_by_slice(map)[slice][index within the slice] = position in map.nodes.
std::vector<std::vector<std::size_t>> nodes_by_slice(const DifferentiationMap& map);

/// Positions in map.edges of those with forward >= threshold or ancestor >= threshold, and mass > 0.
std::vector<std::size_t> drawn_edges(const DifferentiationMap& map, double threshold);

/// Colour of each node: its own, else one of the palette for each distinct annotation (or name), in order of
/// first appearance, so that a type keeps its colour over all slices.
std::vector<std::string> node_colors(const DifferentiationMap& map);

/// Columns are times; bars have height and ribbons width proportional to mass (one scale for all);
/// ribbons are coloured by NPMI. The table has a row per bar and per drawn ribbon (column `kind`).
/// Beyond 4000 edges only the heaviest are drawn, without tooltips, and the caption says so.
/// @param edge_threshold  an edge is drawn if its forward or ancestor share reaches it
/// @throws DataError      see check_map
Plot plot_differentiation_map(const DifferentiationMap& map, double edge_threshold = 0.05);

/// Graphviz text, left to right, of all nodes and the drawn edges.
std::string to_dot(const DifferentiationMap& map, double edge_threshold = 0.05);

/// GraphML text (Gephi, Cytoscape, networkx) of all nodes and all edges with their numbers.
std::string to_graphml(const DifferentiationMap& map);

}  // namespace thalweg
