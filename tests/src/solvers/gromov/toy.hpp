// The small problem whose values other programs gave: 24 points of dimension 3 against 20 of dimension 4.
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

inline ToySide toy_source() {
  ToySide side{24, 3, {}, {}};
  for (int i = 0; i < side.size; ++i) {
    side.points.insert(side.points.end(), {std::cos(0.7 * i), std::sin(1.3 * i + 0.2), i / 10.0});
    side.weights.push_back(1.0 + 0.5 * std::cos(i));
  }
  side.normalise();
  return side;
}

inline ToySide toy_target() {
  ToySide side{20, 4, {}, {}};
  for (int j = 0; j < side.size; ++j) {
    side.points.insert(side.points.end(),
                       {std::sin(0.9 * j + 1.0), 1.2 * std::cos(0.4 * j), j / 9.0, std::cos(2.1 * j)});
    side.weights.push_back(1.0 + 0.5 * std::sin(j));
  }
  side.normalise();
  return side;
}

/// Rows that `comm` owns.
inline Vector owned(const Communicator& comm, const Vector& all, std::int64_t size) {
  const RowRange rows = Partition(size, comm.size(), block_rows).rows_of(comm.rank());
  return {all.begin() + rows.begin * size, all.begin() + rows.end * size};
}

}  // namespace thalweg::testing_support
