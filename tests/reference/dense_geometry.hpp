// Pair geometry as plain loops over a stored cost matrix in double: what solvers are tested with, and an oracle.
#pragma once

#include <memory>

#include "geometry/pair_geometry.hpp"

namespace thalweg::reference {

/// |x - y|^2 of rows, n x m. @param x  n x d @param y  m x d
std::vector<double> squared_distances(std::span<const double> x, std::span<const double> y, std::int64_t dimension);

/// C^T. @param costs  n x m
std::vector<double> transposed(std::span<const double> costs, std::int64_t num_columns);

/// @param costs      all n x m, on every rank
/// @param precision  float32: potentials and exponentials are rounded to float, sums stay in double
std::unique_ptr<PairGeometry> make_dense_geometry(const Communicator& comm, std::vector<double> costs,
                                                  std::int64_t num_columns, Precision precision = Precision::float64);

}  // namespace thalweg::reference
