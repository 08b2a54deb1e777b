// Derivatives of losses of the coupling, by the implicit function theorem.
#pragma once

#include "solvers/sinkhorn/gradients.hpp"

namespace thalweg {

/// G = dL/dP = U V^T, never formed.
struct CouplingLoss {
  std::int64_t rank = 0;
  std::span<const double> row_factors;     // U, owned rows x rank
  std::span<const double> column_factors;  // V, m x rank
};

/// Potentials p, q of the adjoint system, with H = P o G, D1 = r (1 + epsilon / lambda1), D2 = c (1 + epsilon / lambda2):
///   [diag(D1), P; P^T, diag(D2)] (p, q) = (H 1, H^T 1),   dL/dC = -(1 / epsilon) (H - P o (p 1^T + 1 q^T))
struct AdjointPotentials {
  std::vector<double> p;  // owned rows
  std::vector<double> q;  // all columns
  std::int64_t iterations = 0;
  double relative_residual = 0.0;
};

struct AdjointSettings {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 200;
  std::vector<double> initial_q;  // warm start, or empty
};

/// Conjugate gradients on the Schur complement in q, preconditioned by D2; each step is one `apply` and one
/// `apply_transposed`. Balanced problems leave a constant free, which is projected out. Collective.
/// @param geometry  with reference and epsilon as the solver left them
/// Source: Eisenberger et al. (2022), A unified framework for implicit Sinkhorn differentiation.
AdjointPotentials solve_adjoint(const PairGeometry& geometry, const SinkhornProblem& problem, const SinkhornSolution& solution,
                                const CouplingLoss& loss, const AdjointSettings& settings = {});

/// dL/dC of some owned rows, rows x m; local.
std::vector<double> cost_gradient_rows(const PairGeometry& geometry, const SinkhornSolution& solution, const CouplingLoss& loss,
                                       const AdjointPotentials& adjoint, RowRange global_rows);

/// dL/dx_i for squared Euclidean cost, its divisor held fixed: owned rows x d. One pass of width (rank + 2) (d + 1).
std::vector<double> source_point_gradient(const PairGeometry& geometry, const SinkhornSolution& solution, const CouplingLoss& loss,
                                          const AdjointPotentials& adjoint, const GradientPoints& points);

}  // namespace thalweg
