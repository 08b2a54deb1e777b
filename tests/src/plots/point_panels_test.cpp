#include "io/plots/point_panels.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "distributed/error.hpp"
#include "xml_checker.hpp"

namespace thalweg {
namespace {

using test::occurrences;
using test::xml_error;

/// A tetrahedron seen along an edge's middle: two faces towards the viewer, two away. Normals point outwards.
PointPanel tetrahedron() {
  PointPanel panel{"solid", "x", "y", {-1, 1, 0, 0}, {0.2, 0, 1, -1}, {-1, -1, 1, 1}, {}, {}, {}};
  panel.colors = {{200, 0, 0}, {0, 200, 0}, {0, 0, 200}, {200, 200, 0}};
  panel.triangles = {{0, 1, 2}, {1, 0, 3}, {0, 2, 3}, {1, 3, 2}};
  return panel;
}

TEST(PointPanels, LeaveOutTrianglesThatFaceAwayWhereThereIsAnOutside) {
  PointPanel panel = tetrahedron();
  const std::string outwards = plot_point_panels({}, {panel}).svg;
  EXPECT_EQ(xml_error(outwards), "");
  EXPECT_EQ(occurrences(outwards, "z\""), 2);
  EXPECT_EQ(occurrences(outwards, "h0"), 0) << "no points";

  for (auto& triangle : panel.triangles) std::swap(triangle[1], triangle[2]);
  EXPECT_EQ(occurrences(plot_point_panels({}, {panel}).svg, "z\""), 2) << "normals that point inwards";

  panel.triangles.pop_back();
  EXPECT_EQ(occurrences(plot_point_panels({}, {panel}).svg, "z\""), 3) << "open";
  panel = tetrahedron();
  std::swap(panel.triangles[0][1], panel.triangles[0][2]);
  EXPECT_EQ(occurrences(plot_point_panels({}, {panel}).svg, "z\""), 4) << "turned both ways";
}

TEST(PointPanels, NameTheirColoursBelow) {
  PointPanel panel{"slice", "x", "y", {0, 1}, {0, 1}, {}, {{1, 2, 3}, {4, 5, 6}}, {}, {}};
  PointPanelsLook look;
  for (int k = 0; k < 9; ++k) look.legend.push_back({"slice " + std::to_string(k), "#112233"});
  const Plot plot = plot_point_panels(look, {panel, panel});
  EXPECT_EQ(xml_error(plot.svg), "");
  for (const LegendEntry& entry : look.legend) EXPECT_NE(plot.svg.find('>' + entry.name + '<'), std::string::npos);
  EXPECT_EQ(plot.table.rows.size(), 4U);
}

TEST(PointPanels, RefuseCornersThatAreNoPoints) {
  PointPanel panel = tetrahedron();
  panel.triangles[1][0] = 4;
  EXPECT_THROW(plot_point_panels({}, {panel}), DataError);
}

}  // namespace
}  // namespace thalweg
