#include "job/principal_plane.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/row_gram.hpp"

namespace thalweg {

namespace {

std::vector<double> mean_of(const std::vector<double>& rows, std::size_t d) {
  std::vector<double> mean(d, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) mean[i % d] += rows[i];
  for (double& value : mean) value /= static_cast<double>(rows.size() / d);
  return mean;
}

}  // namespace

PrincipalPlane principal_plane(const std::vector<double>& rows, std::int64_t dimension) {
  const std::int64_t d = dimension, n = static_cast<std::int64_t>(rows.size()) / d;
  PrincipalPlane plane{mean_of(rows, static_cast<std::size_t>(d)), Matrix(d, 2)};
  Matrix covariance(d, d);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < d; ++k)
      for (std::int64_t l = 0; l < d; ++l)
        covariance(k, l) += (rows[static_cast<std::size_t>(i * d + k)] - plane.mean[static_cast<std::size_t>(k)]) *
                            (rows[static_cast<std::size_t>(i * d + l)] - plane.mean[static_cast<std::size_t>(l)]);
  const Eigensystem system = eigensystem_of(covariance);
  for (std::int64_t axis = 0; axis < std::min<std::int64_t>(2, d); ++axis) {
    double largest = 0.0;
    for (std::int64_t k = 0; k < d; ++k)
      if (std::abs(system.vectors(k, d - 1 - axis)) > std::abs(largest)) largest = system.vectors(k, d - 1 - axis);
    for (std::int64_t k = 0; k < d; ++k)
      plane.axes(k, axis) = system.vectors(k, d - 1 - axis) * (largest < 0.0 ? -1.0 : 1.0);
  }
  return plane;
}

void add_cells(const PrincipalPlane& plane, const std::vector<double>& rows, std::int32_t panel, ScatterCells& cells) {
  const std::size_t d = plane.mean.size();
  for (std::size_t i = 0; i < rows.size() / d; ++i) {
    double x = 0.0, y = 0.0;
    for (std::size_t k = 0; k < d; ++k) {
      const double value = rows[i * d + k] - plane.mean[k];
      x += value * plane.axes(static_cast<std::int64_t>(k), 0);
      y += value * plane.axes(static_cast<std::int64_t>(k), 1);
    }
    cells.x.push_back(x);
    cells.y.push_back(y);
    cells.panel.push_back(panel);
  }
}

Plot plot_cells(const ScatterLook& look, const ScatterCells& cells) {
  if (static_cast<std::int64_t>(cells.x.size()) <= kLargestPointPlot) return plot_scatter(look, cells);
  const std::vector<std::int64_t> totals = scatter_totals(look, cells);
  const Grid grid = scatter_grid(look, extent_of(cells));
  std::int64_t left_out = static_cast<std::int64_t>(cells.x.size());
  for (const std::int64_t total : totals) left_out -= total;
  const std::vector<GridCell> pixels =
      grid_cells(count_on_grid(cells.x, cells.y, cells.panel, cells.category, grid), grid);
  return plot_scatter_grid(look, grid, pixels, totals, left_out);
}

}  // namespace thalweg
