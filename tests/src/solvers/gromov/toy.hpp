// The small problem whose values other programs gave: 24 points of dimension 3 against 20 of dimension 4, or other
// sizes.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distributed/communicator.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg::testing_support {

using Vector = std::vector<double>;

struct ToySide {
  std::int64_t size = 0, dimension = 0;
  Vector points, weights;

  Vector distances(bool is_squared) const {
    Vector result;
    for (std::int64_t i = 0; i < size; ++i)
      for (std::int64_t k = 0; k < size; ++k) {
        double sum = 0.0;
        for (std::int64_t l = 0; l < dimension; ++l) {
          const double difference =
              points[static_cast<std::size_t>(i * dimension + l)] - points[static_cast<std::size_t>(k * dimension + l)];
          sum += difference * difference;
        }
        result.push_back(is_squared ? sum : std::sqrt(sum));
      }
    return result;
  }
  double largest(bool is_squared) const {
    const Vector all = distances(is_squared);
    return *std::max_element(all.begin(), all.end());
  }
  void normalise() {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& weight : weights) weight /= sum;
  }
};

inline ToySide toy_source(std::int64_t size = 24) {
  ToySide side{size, 3, {}, {}};
  for (int i = 0; i < side.size; ++i) {
    side.points.insert(side.points.end(), {std::cos(0.7 * i), std::sin(1.3 * i + 0.2), i / 10.0});
    side.weights.push_back(1.0 + 0.5 * std::cos(i));
  }
  side.normalise();
  return side;
}

inline ToySide toy_target(std::int64_t size = 20) {
  ToySide side{size, 4, {}, {}};
  for (int j = 0; j < side.size; ++j) {
    side.points.insert(side.points.end(),
                       {std::sin(0.9 * j + 1.0), 1.2 * std::cos(0.4 * j), j / 9.0, std::cos(2.1 * j)});
    side.weights.push_back(1.0 + 0.5 * std::sin(j));
  }
  side.normalise();
  return side;
}

/// (sin i, cos i) and (sin 1.1 j, cos 1.1 j): features of both sides.
inline Vector toy_shared(std::int64_t size, double step) {
  Vector points;
  for (int i = 0; i < size; ++i) points.insert(points.end(), {std::sin(step * i), std::cos(step * i)});
  return points;
}

/// M_ij = |u_i - v_j|^2 of those.
inline Vector toy_linear(std::int64_t n = 24, std::int64_t m = 20) {
  const Vector u = toy_shared(n, 1.0), v = toy_shared(m, 1.1);
  Vector costs;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (std::size_t j = 0; j < static_cast<std::size_t>(m); ++j)
      costs.push_back(std::pow(u[2 * i] - v[2 * j], 2) + std::pow(u[2 * i + 1] - v[2 * j + 1], 2));
  return costs;
}

/// Rows that `comm` owns.
inline Vector owned(const Communicator& comm, const Vector& all, std::int64_t size) {
  const RowRange rows = Partition(size, comm.size(), block_rows).rows_of(comm.rank());
  return {all.begin() + rows.begin * size, all.begin() + rows.end * size};
}

}  // namespace thalweg::testing_support
