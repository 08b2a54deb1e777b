// Cells in the plane in which they differ most.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/plots/scatter.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// The two leading principal axes of some rows, columns of a d x 2 matrix, each with its largest entry positive.
struct PrincipalPlane {
  std::vector<double> mean;
  Matrix axes;
};

/// @param rows   of all cells, finite, row-major
PrincipalPlane principal_plane(const std::vector<double>& rows, std::int64_t dimension);

/// Appends the coordinates of rows in the plane; NaN for rows that are.
void add_cells(const PrincipalPlane& plane, const std::vector<double>& rows, std::int32_t panel, ScatterCells& cells);

/// Dots, or pixels where there are many cells.
Plot plot_cells(const ScatterLook& look, const ScatterCells& cells);

}  // namespace thalweg
