#include "solvers/embedding/unit_rows.hpp"

#include <cmath>

namespace thalweg {

namespace {

constexpr double floor_of_square = 1e-12;

double length_of(std::span<const double> row) {
  double square = floor_of_square;
  for (const double x : row) square += x * x;
  return std::sqrt(square);
}

}  // namespace

std::vector<double> unit_rows(std::span<const double> rows, std::int64_t dim) {
  const auto h = static_cast<std::size_t>(dim);
  std::vector<double> units(rows.begin(), rows.end());
  for (std::size_t begin = 0; begin < units.size(); begin += h) {
    const double length = length_of(rows.subspan(begin, h));
    for (std::size_t k = begin; k < begin + h; ++k) units[k] /= length;
  }
  return units;
}

}  // namespace thalweg
