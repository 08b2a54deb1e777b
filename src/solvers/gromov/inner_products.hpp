// What costs between points that are inner products have in common: points that are centred, their moments.
#pragma once

#include <span>
#include <vector>

#include "solvers/gromov/fused_terms.hpp"

namespace thalweg {

double dot(std::span<const double> x, std::span<const double> y);

/// sum_i a_i |x_i|^2
double mean_square(const Matrix& points, const std::vector<double>& weights);

/// Subtracts the weighted mean of the rows, and returns it.
std::vector<double> centre(Matrix& points, const std::vector<double>& weights);

/// sum_kl mass_kl x_k y_l^T of a coupling between some rows of both, p x q row-major.
std::vector<double> moments_through_cells(const Matrix& x, const Matrix& y, const CellCoupling& coupling);

/// The same of a coupling of few entries.
std::vector<double> moments_of_entries(const Matrix& x, const Matrix& y, const CouplingEntries& coupling);

/// <M, P> = const - 2 sum_i u_i . (P V)_i of shared features; 0 without them. Collective.
/// @param means   P times features of the targets for the owned `rows`, V the last of their columns
double linear_energy(const Communicator& comm, const SharedClouds& shared, double constant,
                     const std::vector<double>& means, RowRange rows);

}  // namespace thalweg
