// The differentiation map as Graphviz and GraphML text.
#include <algorithm>
#include <cmath>

#include "io/plots/differentiation_map.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

/// Identifier of a node: "t2_5" is type 5 of slice 2.
std::string node_id(int slice, int index) { return 't' + std::to_string(slice) + '_' + std::to_string(index); }

/// A quoted Graphviz string.
std::string dot_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : encode_utf8(decode_utf8(text))) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string dot_edge(const MapEdge& edge, double largest) {
  const double width = largest > 0.0 ? 0.5 + 7.5 * edge.mass / largest : 0.5;
  return "  " + node_id(edge.slice, edge.source) + " -> " + node_id(edge.slice + 1, edge.target) +
         " [penwidth=" + significant(width) + ", color=" + dot_string(hex(diverging_color(edge.npmi))) +
         ", mass=" + dot_string(table_cell(edge.mass)) + ", forward=" + dot_string(table_cell(edge.forward)) +
         ", ancestor=" + dot_string(table_cell(edge.ancestor)) + ", npmi=" + dot_string(table_cell(edge.npmi)) +
         (edge.share < 0.5 ? ", style=dashed" : "") + "];\n";
}

struct GraphmlKey {
  const char* id;
  const char* element;
  const char* type;
};

constexpr GraphmlKey kGraphmlKeys[] = {
    {"name", "node", "string"},       {"time", "node", "string"},     {"slice", "node", "int"},
    {"node_mass", "node", "double"},  {"cells", "node", "long"},      {"confidence", "node", "double"},
    {"annotation", "node", "string"}, {"color", "node", "string"},    {"mass", "edge", "double"},
    {"forward", "edge", "double"},    {"ancestor", "edge", "double"}, {"npmi", "edge", "double"},
    {"share", "edge", "double"}};

/// A missing number has no data element.
std::string graphml_data(const char* key, const std::string& value) {
  if (value.empty()) return {};
  return std::string("<data key=\"") + key + "\">" + escape_xml(value) + "</data>";
}

std::string graphml_node(const DifferentiationMap& map, const MapNode& node, const std::string& id,
                         const std::string& color) {
  return "<node id=\"" + id + "\">" + graphml_data("name", node.name) +
         graphml_data("time", map.times[static_cast<std::size_t>(node.slice)]) +
         graphml_data("slice", std::to_string(node.slice)) + graphml_data("node_mass", table_cell(node.mass)) +
         graphml_data("cells", table_cell(node.cells)) + graphml_data("confidence", table_cell(node.confidence)) +
         graphml_data("annotation", node.annotation) + graphml_data("color", color) + "</node>\n";
}

std::string graphml_edge(const MapEdge& edge) {
  return "<edge source=\"" + node_id(edge.slice, edge.source) + "\" target=\"" + node_id(edge.slice + 1, edge.target) +
         "\">" + graphml_data("mass", table_cell(edge.mass)) + graphml_data("forward", table_cell(edge.forward)) +
         graphml_data("ancestor", table_cell(edge.ancestor)) + graphml_data("npmi", table_cell(edge.npmi)) +
         graphml_data("share", table_cell(edge.share)) + "</edge>\n";
}

}  // namespace

std::string to_dot(const DifferentiationMap& map, double edge_threshold) {
  check_map(map);
  const auto slices = nodes_by_slice(map);
  const auto colors = node_colors(map);
  std::string out = "digraph differentiation_map {\n  rankdir=LR;\n  label=" + dot_string(map.title) +
                    ";\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n";
  for (std::size_t slice = 0; slice < slices.size(); ++slice) {
    out += "  subgraph slice_" + std::to_string(slice) + " {\n    rank=same;\n";
    for (std::size_t k = 0; k < slices[slice].size(); ++k) {
      const auto& node = map.nodes[slices[slice][k]];
      const auto& color = colors[slices[slice][k]];
      out += "    " + node_id(node.slice, static_cast<int>(k)) + " [label=" + dot_string(node.name) +
             ", time=" + dot_string(map.times[slice]) + ", mass=" + dot_string(table_cell(node.mass)) +
             ", fillcolor=" + dot_string(color) + ", fontcolor=" + dot_string(hex(text_color(parse_color(color, {})))) +
             "];\n";
    }
    out += "  }\n";
  }
  const auto drawn = drawn_edges(map, edge_threshold);
  double largest = 0.0;
  for (const std::size_t k : drawn) largest = std::max(largest, map.edges[k].mass);
  for (const std::size_t k : drawn) out += dot_edge(map.edges[k], largest);
  return out + "}\n";
}

std::string to_graphml(const DifferentiationMap& map) {
  check_map(map);
  const auto slices = nodes_by_slice(map);
  const auto colors = node_colors(map);
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n";
  for (const auto& [id, element, type] : kGraphmlKeys) {
    const std::string name = std::string(id) == "node_mass" ? "mass" : id;
    out += std::string("<key id=\"") + id + "\" for=\"" + element + "\" attr.name=\"" + name + "\" attr.type=\"" +
           type + "\"/>\n";
  }
  out += "<graph id=\"differentiation_map\" edgedefault=\"directed\">\n";
  for (const auto& slice : slices) {
    for (std::size_t k = 0; k < slice.size(); ++k) {
      const auto& node = map.nodes[slice[k]];
      out += graphml_node(map, node, node_id(node.slice, static_cast<int>(k)), colors[slice[k]]);
    }
  }
  for (const auto& edge : map.edges) out += graphml_edge(edge);
  return out + "</graph>\n</graphml>\n";
}

}  // namespace thalweg
