// Distances between rows of small matrices.
#pragma once

#include <cstdint>

#include "kernels/matrix.hpp"

namespace thalweg {

/// |x_i - y_j|^2 of the rows of two matrices.
inline Matrix squared_distances(const Matrix& x, const Matrix& y) {
  Matrix distances(x.rows, y.rows);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < y.rows; ++j)
      for (std::int64_t k = 0; k < x.columns; ++k) distances(i, j) += (x(i, k) - y(j, k)) * (x(i, k) - y(j, k));
  return distances;
}

}  // namespace thalweg
