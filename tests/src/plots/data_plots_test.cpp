#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
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
  for (const char* text : {"\"nan", " nan", "Mnan"}) EXPECT_EQ(plot.svg.find(text), std::string::npos) << "base64 may hold nan";
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
  const Plot plot = test::example_cells(kLargestPointPlot, 12).plot();
  expect_sound(plot);
  EXPECT_EQ(plot.table.rows.size(), static_cast<std::size_t>(kLargestPointPlot));
  EXPECT_EQ(occurrences(plot.svg, "h0"), static_cast<int>(kLargestPointPlot));
  EXPECT_EQ(occurrences(plot.svg, "data:image/png"), 0);
}

TEST(Scatter, RasterisesMoreCellsBelowTwoMegabytes) {
  const Plot plot = test::example_cells(100000, 20).plot();
  expect_sound(plot);
  EXPECT_EQ(occurrences(plot.svg, "data:image/png;base64,iVBORw0KGgo"), 1);
  std::int64_t total = 0;
  for (const auto& row : plot.table.rows) total += std::stoll(row[3]);
  EXPECT_EQ(total, 100000);
}

TEST(Scatter, StaysSmallWhereEveryGridCellDiffers) {
  ScatterLook look;
  ScatterCells cells;
  for (int k = 0; k < 64; ++k) look.categories.push_back(std::to_string(k));
  for (int i = 0; i < 1000; ++i) {
    for (int j = 0; j < 1000; ++j) {
      cells.x.push_back(i), cells.y.push_back(j), cells.category.push_back((i * 37 + j * 101 + i * j) % 64);
    }
  }
  expect_sound(plot_scatter(look, cells));
  look.panels = {"a", "b", "c"};
  for (std::size_t i = 0; i < cells.x.size(); ++i) cells.panel.push_back(static_cast<std::int32_t>(i % 3));
  expect_sound(plot_scatter(look, cells));
}

TEST(Scatter, LeavesOutCellsWithoutCoordinates) {
  const ScatterLook look{.x_label = "x", .y_label = "y", .categories = {"A & B"}, .colors = {"#112233"}};
  ScatterCells cells{{0, 1, std::nan("")}, {0, 1, 2}, {0, 7, 0}, {}, {"c1", "c2", "c3"}};
  const Plot plot = plot_scatter(look, cells);
  expect_sound(plot);
  ASSERT_EQ(plot.table.rows.size(), 2u);
  EXPECT_EQ(plot.table.rows[1], (std::vector<std::string>{"c2", "1", "1", ""}));
  EXPECT_NE(plot.svg.find("left out without finite coordinates: 1."), std::string::npos);
  EXPECT_NE(plot.svg.find("#112233"), std::string::npos);
  cells.ids.pop_back();
  EXPECT_THROW(plot_scatter(look, cells), DataError);
}

TEST(Scatter, AcceptsNoCellsOneCellAndManyCategories) {
  expect_sound(plot_scatter({}, {}));
  expect_sound(plot_scatter({.categories = {"only"}}, {.x = {2}, .y = {3}, .category = {0}}));
  expect_sound(test::example_cells(3000, 100).plot());
  expect_sound(test::example_cells(30000, 300).plot());
}

TEST(Scatter, ShowsEveryPanelOverTheOutlineOfTheOthers) {
  const auto example = test::example_cells(600, 4, 3);
  const Plot plot = example.plot();
  expect_sound(plot);
  EXPECT_EQ(plot.table.header, (std::vector<std::string>{"id", "x", "y", "panel", "category"}));
  EXPECT_EQ(plot.table.rows.size(), 600u);
  EXPECT_EQ(plot.table.rows[4][3], "panel 1");
  EXPECT_EQ(occurrences(plot.svg, "data:image/png"), 3);
  EXPECT_EQ(occurrences(plot.svg, "h0"), 600);
  for (const char* name : {"panel 0  (200)", "panel 1  (200)", "panel 2  (200)"}) EXPECT_NE(plot.svg.find(name), std::string::npos);
}

TEST(Scatter, OfPanelsCountsTheSameCellsOnAGrid) {
  const Plot plot = test::example_cells(90000, 5, 3).plot();
  expect_sound(plot);
  EXPECT_EQ(plot.table.header, (std::vector<std::string>{"panel", "x", "y", "category", "cells", "category_cells"}));
  std::map<std::string, std::int64_t> cells;
  for (const auto& row : plot.table.rows) cells[row[0]] += std::stoll(row[4]);
  EXPECT_EQ(cells, (std::map<std::string, std::int64_t>{{"panel 0", 30000}, {"panel 1", 30000}, {"panel 2", 30000}}));
  EXPECT_EQ(occurrences(plot.svg, "data:image/png"), 3);
}

TEST(Scatter, FromCountsOfPartsIsThatOfAllCells) {
  const auto [look, cells] = test::example_cells(30000, 7, 4);
  const Grid grid = scatter_grid(look, extent_of(cells));
  std::vector<GridCount> counts;
  for (std::size_t begin = 0; begin < cells.x.size(); begin += 7500) {
    const auto part = [begin](const auto& values) { return std::span(values).subspan(begin, 7500); };
    const auto local = count_on_grid(part(cells.x), part(cells.y), part(cells.panel), part(cells.category), grid);
    counts.insert(counts.begin(), local.begin(), local.end());
  }
  const Plot merged = plot_scatter_grid(look, grid, grid_cells(counts, grid), scatter_totals(look, cells), 0);
  EXPECT_EQ(merged.svg, plot_scatter(look, cells).svg);
}

TEST(DensityGrid, CountsTheCommonestCategory) {
  const Grid extent{0.0, 1000.0, 0.0, 1000.0, 1000};
  const std::vector<double> x{0.5, 0.5, 0.5, 999.5, 1000.0, 1000.1}, y{999.5, 999.5, 999.5, 0.5, 0.0, 5.0};
  const std::vector<std::int32_t> category{3, 2, 3, 1, 0, 0};
  const auto grid = grid_cells(count_on_grid(x, y, {}, category, extent), extent);
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
    const std::vector<GridCell> cells{{0, 0, 0, 0, 1, 1}, {0, 999, 999, 399, 1000, 1000}, {0, 500, 500, 19, 30, 30}};
    const auto image = grid_image(cells, {}, {}, {colors, 2});
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
