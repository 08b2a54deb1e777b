// The linear system of the implicit function theorem for a balanced coupling.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// What the system needs of a coupling P; p = P 1 of the owned rows, q = P^T 1 of all columns.
class CouplingProducts {
 public:
  virtual ~CouplingProducts() = default;
  /// P v, owned rows.
  virtual std::vector<double> apply(const std::vector<double>& v) const = 0;
  /// P^T w, all columns. Collective. @param w  owned rows
  virtual std::vector<double> apply_transposed(const std::vector<double>& w) const = 0;
  /// sum_i w_i P_ij^2, all columns. Collective.
  virtual std::vector<double> transposed_squares(const std::vector<double>& w) const = 0;
  virtual const std::vector<double>& row_sums() const = 0;
  virtual const std::vector<double>& column_sums() const = 0;
};

/// alpha of the owned rows and beta of all columns.
struct CouplingAdjoint {
  std::vector<double> alpha, beta;
  std::int64_t iterations = 0;
  double relative_residual = 0.0;
};

struct CouplingAdjointSettings {
  double tolerance = 1e-4;
  std::int64_t max_iterations = 200;
  std::vector<double> initial_beta;  // all columns, or empty
};

/// [diag(p) P; P^T diag(q)] (alpha, beta) = (u, v), up to the constant (1, -1), which is left free.
///
/// Conjugate gradients on S = diag(q) - P^T diag(1 / p) P with the diagonal of S as preconditioner (at least 1e-6 of
/// the mean q); constants are projected out. Points without mass get 0. Collective.
CouplingAdjoint solve_coupling_adjoint(const CouplingProducts& coupling, std::span<const double> u,
                                       std::span<const double> v, const CouplingAdjointSettings& settings);

}  // namespace thalweg
