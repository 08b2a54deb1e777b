#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "distributed/error.hpp"
#include "io/plots/flow_drawing.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/sankey.hpp"
#include "io/plots/text.hpp"
#include "plot_examples.hpp"
#include "xml_checker.hpp"

namespace thalweg {
namespace {

using test::occurrences;
using test::xml_error;

DifferentiationMap one_node() { return {{"0"}, {{0, "only", 1.0, 9, 1.0, "", ""}}, {}, "One type"}; }

DifferentiationMap massless() {
  DifferentiationMap map{{"0", "1"}, {{0, "a", 0.0, 0, 0.0, "", ""}, {1, "b", std::nan(""), 0, 0.0, "", ""}}, {}, ""};
  map.edges.push_back({0, 0, 0, 0.0, std::nan(""), std::nan(""), -1.0});
  return map;
}

std::vector<DifferentiationMap> all_maps() {
  return {test::amphid_map(),
          test::random_map(5, 12, 3),
          test::random_map(2, 40, 4),
          test::random_map(3, 100, 5),
          test::awkward_map(),
          one_node(),
          massless(),
          DifferentiationMap{},
          DifferentiationMap{{"1", "2"}, {}, {}, "no types"}};
}

TEST(FlowPlots, AreWellFormedAndSmall) {
  for (const auto& map : all_maps()) {
    for (const Plot& plot : {plot_differentiation_map(map), plot_sankey(map)}) {
      EXPECT_EQ(xml_error(plot.svg), "") << map.title;
      EXPECT_LT(plot.svg.size(), 2000000u) << map.title;
      EXPECT_EQ(plot.svg.find("nan"), std::string::npos) << map.title;
      for (const auto& row : plot.table.rows) EXPECT_EQ(row.size(), plot.table.header.size());
    }
    EXPECT_EQ(xml_error(to_graphml(map)), "") << map.title;
  }
}

TEST(FlowPlots, StaySmallWithManyTypesAndTimes) {
  const auto map = test::random_map(30, 100, 6);
  EXPECT_LT(plot_differentiation_map(map).svg.size(), 2000000u);
  EXPECT_LT(plot_differentiation_map(map, 0.0).svg.size(), 2000000u);
  EXPECT_LT(plot_sankey(map, 0.0).svg.size(), 2000000u);
  EXPECT_NE(plot_differentiation_map(map, 0.0).svg.find("heaviest"), std::string::npos);
}

struct Box {
  double left, right, top, bottom;
  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

Box label_box(const FlowBar& bar) {
  const double width = text_width(bar.label, kLabelFontSize),
               left = bar.anchor == "end" ? bar.label_x - width : bar.label_x;
  return {left, left + width, bar.center - 0.5 * kLabelFontSize, bar.center + 0.5 * kLabelFontSize};
}

TEST(FlowLayout, LabelsAndBarsNeverOverlapAndStayInThePicture) {
  for (const auto& map : all_maps()) {
    const auto layout = layout_flow(map, drawn_edges(map, 0.05), kFlowTop);
    for (std::size_t a = 0; a < layout.bars.size(); ++a) {
      const Box label = label_box(layout.bars[a]);
      EXPECT_GE(label.left, 0.0);
      EXPECT_LE(label.right, layout.width);
      EXPECT_GE(layout.bars[a].center - 0.5 * layout.bars[a].height, layout.top - 1e-6);
      EXPECT_LE(layout.bars[a].center + 0.5 * layout.bars[a].height, layout.bottom + 1e-6);
      for (std::size_t b = 0; b < layout.bars.size(); ++b) {
        const auto& other = layout.bars[b];
        const Box bar{other.x, other.x + kBarWidth, other.center - 0.5 * other.height,
                      other.center + 0.5 * other.height};
        EXPECT_FALSE(label.overlaps(bar)) << layout.bars[a].label << " on the bar of " << other.label;
        if (a != b) {
          EXPECT_FALSE(label.overlaps(label_box(other))) << layout.bars[a].label << " on " << other.label;
        }
      }
    }
  }
}

TEST(FlowLayout, HeightsAndWidthsAreProportionalToMass) {
  const auto map = test::amphid_map();
  const auto drawn = drawn_edges(map, 0.05);
  const auto layout = layout_flow(map, drawn, kFlowTop);
  for (std::size_t k = 0; k < map.nodes.size(); ++k) {
    EXPECT_NEAR(layout.bars[k].height, std::max(1.5, layout.scale * map.nodes[k].mass), 1e-9);
  }
  ASSERT_EQ(layout.ribbons.size(), drawn.size());
  for (const auto& ribbon : layout.ribbons) {
    EXPECT_NEAR(ribbon.width, std::max(0.7, layout.scale * map.edges[ribbon.edge].mass), 1e-9);
  }
}

TEST(FlowLayout, RibbonsEndOnTheirBarsWithoutOverlap) {
  const auto map = test::amphid_map();
  const auto layout = layout_flow(map, drawn_edges(map, 0.05), kFlowTop);
  const auto slices = nodes_by_slice(map);
  std::vector<std::vector<std::pair<double, double>>> ends(map.nodes.size());
  for (const auto& ribbon : layout.ribbons) {
    const auto& edge = map.edges[ribbon.edge];
    const auto& bar = layout.bars[slices[static_cast<std::size_t>(edge.slice)][static_cast<std::size_t>(edge.source)]];
    EXPECT_GE(ribbon.source_center - 0.5 * ribbon.width, bar.center - 0.5 * bar.height - 0.4);
    EXPECT_LE(ribbon.source_center + 0.5 * ribbon.width, bar.center + 0.5 * bar.height + 0.4);
    ends[slices[static_cast<std::size_t>(edge.slice)][static_cast<std::size_t>(edge.source)]].emplace_back(
        ribbon.source_center - 0.5 * ribbon.width, ribbon.source_center + 0.5 * ribbon.width);
  }
  for (auto& at : ends) {
    std::sort(at.begin(), at.end());
    for (std::size_t k = 0; k + 1 < at.size(); ++k) EXPECT_LE(at[k].second, at[k + 1].first + 0.5);
  }
}

TEST(DifferentiationMap, CountsHiddenEdgesInTheCaption) {
  auto map = test::awkward_map();
  const auto drawn = drawn_edges(map, 0.05);
  const Plot plot = plot_differentiation_map(map, 0.05);
  EXPECT_NE(plot.svg.find("Drawn: " + std::to_string(drawn.size()) + " of 18"), std::string::npos);
  EXPECT_NE(plot.svg.find(std::to_string(18 - drawn.size()) + " hidden edges"), std::string::npos);
  const auto edges =
      std::count_if(plot.table.rows.begin(), plot.table.rows.end(), [](const auto& row) { return row[0] == "edge"; });
  EXPECT_EQ(static_cast<std::size_t>(edges), drawn.size());
  EXPECT_EQ(occurrences(plot.svg, "<path "), static_cast<int>(drawn.size()));
  for (const std::size_t k : drawn) EXPECT_TRUE(map.edges[k].forward >= 0.05 || map.edges[k].ancestor >= 0.05);
}

TEST(DifferentiationMap, TableHoldsThePlottedNumbers) {
  const auto map = test::amphid_map();
  const Plot plot = plot_differentiation_map(map);
  EXPECT_EQ(plot.table.rows.front()[2], "Neuroblast_ASG_AWA");
  EXPECT_EQ(std::stod(plot.table.rows.front()[8]), map.nodes.front().mass);
  const auto drawn = drawn_edges(map, 0.05);
  const auto& row = plot.table.rows[map.nodes.size()];
  EXPECT_EQ(std::stod(row[8]), map.edges[drawn.front()].mass);
  EXPECT_EQ(std::stod(row[11]), map.edges[drawn.front()].npmi);
}

TEST(DifferentiationMap, LongNamesAreWholeInTheTooltip) {
  const auto map = test::awkward_map();
  const std::string svg = plot_differentiation_map(map).svg;
  EXPECT_NE(svg.find("<title>a type with a name far too long to fit beside its bar, whatever the layout does&#10;"),
            std::string::npos);
  EXPECT_NE(svg.find("CD4+ &amp; CD8+ &lt;double positive&gt;"), std::string::npos);
}

TEST(DifferentiationMap, DashesEdgesOfRareReplicates) {
  const auto map = test::awkward_map();
  EXPECT_EQ(occurrences(plot_differentiation_map(map).svg, "stroke-dasharray=\"4 3\""), 1);
  EXPECT_EQ(occurrences(plot_differentiation_map(test::amphid_map()).svg, "stroke-dasharray"), 0);
}

TEST(DifferentiationMap, TypesKeepTheirColorOverTime) {
  auto map = test::amphid_map();
  const auto colors = node_colors(map);
  for (std::size_t a = 0; a < colors.size(); ++a) {
    for (std::size_t b = 0; b < colors.size(); ++b)
      EXPECT_EQ(colors[a] == colors[b], map.nodes[a].name == map.nodes[b].name);
  }
  map.nodes[0].color = "#102030", map.nodes[1].color = "url(x)";
  EXPECT_EQ(node_colors(map)[0], "#102030");
  EXPECT_EQ(node_colors(map)[1], colors[1]);
}

TEST(DifferentiationMap, RefusesEdgesOfUnknownTypes) {
  auto map = test::amphid_map();
  map.edges[0].target = 99;
  EXPECT_THROW(plot_differentiation_map(map), DataError);
  map = test::amphid_map();
  map.edges[0].slice = 5;
  EXPECT_THROW(plot_sankey(map), DataError);
  map = test::amphid_map();
  map.nodes[0].slice = -1;
  EXPECT_THROW(to_dot(map), DataError);
}

TEST(Sankey, HidesLightEdgesAndSaysSo) {
  const auto map = test::amphid_map();
  const Plot plot = plot_sankey(map);
  int heavy = 0;
  for (const auto& edge : map.edges) {
    double total = 0.0;
    for (const auto& other : map.edges) total += other.slice == edge.slice ? other.mass : 0.0;
    heavy += edge.mass >= 0.02 * total ? 1 : 0;
  }
  EXPECT_EQ(occurrences(plot.svg, "<path "), heavy);
  EXPECT_NE(plot.svg.find("hidden: " + std::to_string(static_cast<int>(map.edges.size()) - heavy) + " of 206"),
            std::string::npos);
}

TEST(GraphExport, DotHasAllTypesAndDrawnEdges) {
  const auto map = test::awkward_map();
  const std::string dot = to_dot(map);
  EXPECT_EQ(occurrences(dot, "fillcolor="), static_cast<int>(map.nodes.size()));
  EXPECT_EQ(occurrences(dot, " -> "), static_cast<int>(drawn_edges(map, 0.05).size()));
  EXPECT_EQ(occurrences(dot, "style=dashed"), 1);
  EXPECT_NE(dot.find("\\\"care\\\""), std::string::npos) << "quotes are escaped";
}

TEST(GraphExport, GraphmlHasAllEdges) {
  const auto map = test::awkward_map();
  const std::string xml = to_graphml(map);
  EXPECT_EQ(occurrences(xml, "<edge "), static_cast<int>(map.edges.size()));
  EXPECT_EQ(occurrences(xml, "<node "), static_cast<int>(map.nodes.size()));
  EXPECT_NE(xml.find("<data key=\"name\">CD4+ &amp; CD8+ &lt;double positive&gt;</data>"), std::string::npos);
}

TEST(Percent, SaysZeroOnlyWhereExact) {
  EXPECT_EQ(percent(0.0), "0");
  EXPECT_EQ(percent(1e-9), "< 0.01");
  EXPECT_EQ(percent(0.0123), "1.2");
  EXPECT_EQ(percent(0.9999), "> 99");
  EXPECT_EQ(percent(1.0), "100");
}

}  // namespace
}  // namespace thalweg
