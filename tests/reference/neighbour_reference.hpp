// Nearest neighbours as plain loops in double: what every search is held against.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace thalweg::reference {

/// (squared distance, index) of the `count` nearest points of `query`, nearest first, ties by smaller index; fewer
/// where there are not as many.
/// @param groups   points of the query's group are passed over; empty: only the query is
inline std::vector<std::pair<double, std::int32_t>> nearest(std::span<const double> points, std::int64_t dimension,
                                                            std::int32_t query, std::int64_t count,
                                                            std::span<const std::int32_t> groups = {}) {
  const std::int64_t n = static_cast<std::int64_t>(points.size()) / dimension;
  std::vector<std::pair<double, std::int32_t>> all;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i == query ||
        (!groups.empty() && groups[static_cast<std::size_t>(i)] == groups[static_cast<std::size_t>(query)]))
      continue;
    double sum = 0.0;
    for (std::int64_t j = 0; j < dimension; ++j) {
      const double difference =
          points[static_cast<std::size_t>(i * dimension + j)] - points[static_cast<std::size_t>(query * dimension + j)];
      sum += difference * difference;
    }
    all.emplace_back(sum, static_cast<std::int32_t>(i));
  }
  std::sort(all.begin(), all.end());
  if (static_cast<std::int64_t>(all.size()) > count) all.resize(static_cast<std::size_t>(count));
  return all;
}

}  // namespace thalweg::reference
