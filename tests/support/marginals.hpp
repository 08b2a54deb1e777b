// Row and column sums of the coupling of a pair geometry.
#pragma once

#include "geometry/pair_geometry.hpp"

namespace thalweg::testing_support {

struct Marginals {
  std::vector<double> row_sums;     // owned rows
  std::vector<double> column_sums;  // all m
};

inline Marginals marginals_of(const PairGeometry& geometry, std::span<const double> f, std::span<const double> g) {
  const RowRange rows = geometry.rows();
  const std::vector<double> ones(static_cast<std::size_t>(rows.size()), 1.0);
  return {geometry.row_sums(rows, f, g), geometry.apply_transposed(f, g, ones, 1)};
}

}  // namespace thalweg::testing_support
