// Surfaces as sides of an alignment: further keys of [gromov].
#pragma once

#include <cstdint>
#include <string>

#include "core/rules.hpp"

namespace thalweg {

struct ShapeOptions {
  std::int64_t solve_points = 1000;
  bool unfold = true;
  std::string anchors = {};
  std::string reference_map = {};

  static constexpr const char* section = "gromov";
  static constexpr const char* part = "shapes of gromov";
  static constexpr const char* about =
      "surfaces of triangles as both sides of gromov: [source] and [target] name .off, .ply or .npz files, or faces";
  static void describe(auto& field) {
    using namespace rules;
    field("solve_points", &ShapeOptions::solve_points,
          "of surfaces: vertices of each side that are solved, each the farthest from those before; the others follow "
          "from these",
          at_least(2));
    field("unfold", &ShapeOptions::unfold,
          "of surfaces: paths also cross edges, between the vertices opposite an edge over both triangles laid flat; "
          "false: along edges only");
    field("anchors", &ShapeOptions::anchors,
          "table with columns source and target, vertices or cells from 0 that belong together; of surfaces: the "
          "distance to the partner / diameter is added to the cost of these sources; of cells: a linear cost of weight "
          "1 - problem.alpha, mean squared difference of the distances to the pairs",
          file_path);
    field("reference_map", &ShapeOptions::reference_map,
          "of surfaces, for scores alone: such a table, or FILE.npz/ARRAY with a target vertex for each source vertex, "
          "negative: none",
          file_path);
  }
};

}  // namespace thalweg
