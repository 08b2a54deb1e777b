// The spectral-geometric regulariser: costs that vary little along the edges of both graphs.
#pragma once

#include "solvers/embedding/cost_points.hpp"

namespace thalweg {

struct SpectralTerm {
  double value = 0.0;
  std::vector<double> source_gradient, target_gradient;  // by the points: owned rows x h
};

/// E_s = (tr(C^T L_X C) + tr(C L_Y C^T)) / (n m), L = D - W of symmetric graphs of weights 1.
///
/// C = A B^T with A = (1, x), B = (1, -y) for cosine and A = (|x|^2, 1, x), B = (1, |y|^2, -2 y) / scale for
/// sq_euclidean, so that tr(C^T L_X C) = <A^T L_X A, B^T B>: no pass over pairs. Collective.
SpectralTerm spectral_term(const Communicator& comm, const CostPoints& points, const Graph& source_graph,
                           const Graph& target_graph, bool with_gradient);

}  // namespace thalweg
