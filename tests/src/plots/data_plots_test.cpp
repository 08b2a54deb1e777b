#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distributed/error.hpp"
#include "io/plots/convergence.hpp"
#include "io/plots/density_grid.hpp"
#include "io/plots/heat_map.hpp"
#include "io/plots/scatter.hpp"
#include "plot_examples.hpp"
#include "xml_checker.hpp"

namespace thalweg {
namespace {

using test::occurrences;
using test::xml_error;

void expect_sound(const Plot& plot) {
  EXPECT_EQ(xml_error(plot.svg), "");
  EXPECT_LT(plot.svg.size(), 2000000u);
  EXPECT_EQ(plot.svg.find("nan"), std::string::npos);
  for (const auto& row : plot.table.rows) EXPECT_EQ(row.size(), plot.table.header.size());
}

TEST(HeatMap, IsSoundForAllSizes) {
  for (const int types : {1, 2, 16, 17, 28, 29, 60, 61, 300}) {
    const Plot plot = plot_transition(transition_matrix(test::random_map(2, types, 8), 0));
    expect_sound(plot);
    EXPECT_EQ(plot.table.rows.size(), static_cast<std::size_t>(types * types));
  }
  expect_sound(plot_transition(transition_matrix(test::awkward_map(), 0)));
  expect_sound(plot_transition({"0", "1", {}, {}, {}, ""}));
  expect_sound(plot_transition({"0", "1", std::vector<std::string>(70, "x"), {}, {}, ""}));
}

TEST(HeatMap, PrintsRowNormalisedShares) {
  const Plot plot = plot_transition({"0", "1", {"a", "b"}, {"c", "d"}, {1.0, 3.0, 0.0, 0.0}, ""});
  EXPECT_EQ(plot.table.rows[0].back(), "0.25");
  EXPECT_EQ(plot.table.rows[1].back(), "0.75");
  EXPECT_EQ(plot.table.rows[2].back(), "") << "a row without mass has no shares";
  EXPECT_EQ(occurrences(plot.svg, ">0.25<"), 2) << "one cell and one tick of the colour bar";
  EXPECT_NE(plot.svg.find("Grey rows"), std::string::npos);
}

TEST(HeatMap, RefusesWrongSizes) {
  EXPECT_THROW(plot_transition({"0", "1", {"a"}, {"b"}, {1.0, 2.0}, ""}), DataError);
  EXPECT_THROW(transition_matrix(test::amphid_map(), 5), DataError);
  EXPECT_THROW(transition_matrix(test::amphid_map(), -1), DataError);
}

TEST(Convergence, DrawsPositiveValuesAndCountsTheOthers) {
  const auto history = test::example_history();
  const Plot plot = plot_convergence(history);
  expect_sound(plot);
  EXPECT_NE(plot.svg.find("Not drawn, because not positive: 1 value."), std::string::npos);
  // Two curves of 160 objectives, three of residuals with one zero and one missing, tolerance, boundaries.
  EXPECT_EQ(plot.table.rows.size(), 2u * 160 + 3 * 160 - 2 + 1 + 3);
}

TEST(Convergence, AcceptsEmptyConstantAndNegativeCurves) {
  expect_sound(plot_convergence({}));
  ConvergenceHistory history;
  history.objectives = {{"constant", {1, 2, 3}, {5, 5, 5}}, {"empty", {}, {}}};
  history.residuals = {{"zeros", {1, 2}, {0, 0}}, {"one", {4}, {1e-300}}};
  expect_sound(plot_convergence(history));
  history.objectives = {{"negative", {1, 2, 3}, {-5, -6, std::nan("")}}};
  const Plot plot = plot_convergence(history);
  expect_sound(plot);
  EXPECT_EQ(std::count_if(plot.table.rows.begin(), plot.table.rows.end(),
                          [](const auto& row) { return row[1] == "negative"; }),
            2);
}

TEST(Convergence, ThinsLongCurvesAndKeepsExtremes) {
  ConvergenceCurve curve{"long", {}, {}};
  for (int k = 0; k < 100000; ++k)
    curve.x.push_back(k), curve.y.push_back(k == 54321 ? 1e5 : k == 12345 ? 1e-5 : 1.0 + 0.1 * std::sin(k));
  ConvergenceHistory history;
  history.residuals = {curve};
  const Plot plot = plot_convergence(history);
  expect_sound(plot);
  EXPECT_LE(plot.table.rows.size(), 2000u);
  const auto has = [&](const char* x, const char* y) {
    return std::any_of(plot.table.rows.begin(), plot.table.rows.end(),
                       [&](const auto& row) { return row[2] == x && row[3] == y; });
  };
  EXPECT_TRUE(has("54321", "1e+05"));
  EXPECT_TRUE(has("12345", "1e-05"));
}

TEST(Convergence, RefusesUnequalLengths) {
  ConvergenceHistory history;
  history.residuals = {{"r", {1, 2}, {1}}};
  EXPECT_THROW(plot_convergence(history), DataError);
}

TEST(Scatter, DrawsEachCellUpToTheLimit) {
  auto cells = test::example_cells(kLargestPointPlot, 12);
  const Plot plot = plot_scatter(cells);
  expect_sound(plot);
  EXPECT_EQ(plot.table.rows.size(), static_cast<std::size_t>(kLargestPointPlot));
  EXPECT_EQ(occurrences(plot.svg, "h0"), static_cast<int>(kLargestPointPlot));
  EXPECT_EQ(occurrences(plot.svg, "data:image/png"), 0);
}

TEST(Scatter, RasterisesMoreCellsBelowTwoMegabytes) {
  const Plot plot = plot_scatter(test::example_cells(100000, 20));
  expect_sound(plot);
  EXPECT_EQ(occurrences(plot.svg, "data:image/png;base64,iVBORw0KGgo"), 1);
  std::int64_t total = 0;
  for (const auto& row : plot.table.rows) total += std::stoll(row[3]);
  EXPECT_EQ(total, 100000);
}

TEST(Scatter, StaysSmallWhereEveryGridCellDiffers) {
  ScatterCells cells;
  for (int k = 0; k < 64; ++k) cells.categories.push_back(std::to_string(k));
  for (int i = 0; i < 1000; ++i) {
    for (int j = 0; j < 1000; ++j) {
      cells.x.push_back(i), cells.y.push_back(j), cells.category.push_back((i * 37 + j * 101 + i * j) % 64);
    }
  }
  expect_sound(plot_scatter(cells));
}

TEST(Scatter, LeavesOutCellsWithoutCoordinates) {
  ScatterCells cells{
      {0, 1, std::nan("")}, {0, 1, 2}, {0, 7, 0}, {"c1", "c2", "c3"}, {"A & B"}, {"#112233"}, "", "x", "y"};
  const Plot plot = plot_scatter(cells);
  expect_sound(plot);
  ASSERT_EQ(plot.table.rows.size(), 2u);
  EXPECT_EQ(plot.table.rows[1], (std::vector<std::string>{"c2", "1", "1", ""}));
  EXPECT_NE(plot.svg.find("left out without finite coordinates: 1."), std::string::npos);
  EXPECT_NE(plot.svg.find("#112233"), std::string::npos);
  cells.ids.pop_back();
  EXPECT_THROW(plot_scatter(cells), DataError);
}

TEST(Scatter, AcceptsNoCellsOneCellAndManyCategories) {
  expect_sound(plot_scatter({}));
  expect_sound(plot_scatter({{2}, {3}, {0}, {}, {"only"}, {}, "", "", ""}));
  expect_sound(plot_scatter(test::example_cells(3000, 100)));
  expect_sound(plot_scatter(test::example_cells(30000, 300)));
}

TEST(DensityGrid, CountsTheCommonestCategory) {
  const Axis axis{0.0, 1000.0, 0.0, 1.0, false};
  const std::vector<double> x{0.5, 0.5, 0.5, 999.5, 1000.0, 1000.1}, y{999.5, 999.5, 999.5, 0.5, 0.0, 5.0};
  const std::vector<std::int32_t> category{3, 2, 3, 1, 0, 0};
  const auto grid = count_on_grid(x, y, category, axis, axis);
  ASSERT_EQ(grid.size(), 2u);
  EXPECT_EQ(grid[0].row, 0);
  EXPECT_EQ(grid[0].column, 0);
  EXPECT_EQ(grid[0].category, 3);
  EXPECT_EQ(grid[0].count, 3);
  EXPECT_EQ(grid[0].category_count, 2);
  EXPECT_EQ(grid[1].row, 999);
  EXPECT_EQ(grid[1].column, 999);
  EXPECT_EQ(grid[1].category, 0) << "the smaller of equals";
}

TEST(DensityGrid, ImageIndexesItsPalette) {
  for (const std::size_t count : {0, 1, 20, 254, 400}) {
    std::vector<Rgb> colors;
    for (std::size_t k = 0; k < count; ++k)
      colors.push_back({static_cast<std::uint8_t>(k), static_cast<std::uint8_t>(k / 256), 9});
    const std::vector<GridCell> grid{{0, 0, 0, 1, 1}, {999, 999, 399, 1000, 1000}, {500, 500, 19, 30, 30}};
    const auto image = grid_image(grid, colors, 2);
    ASSERT_LE(image.palette.size(), 256u);
    EXPECT_EQ(image.pixels.size(), 1000000u);
    EXPECT_LT(*std::max_element(image.pixels.begin(), image.pixels.end()), image.palette.size());
    EXPECT_EQ(image.palette[0].alpha, 0);
    EXPECT_NE(image.pixels.front(), 0);
    EXPECT_EQ(image.pixels[700 * 1000 + 3], 0);
  }
}

}  // namespace
}  // namespace thalweg
