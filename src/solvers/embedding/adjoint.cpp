#include "solvers/embedding/adjoint.hpp"

#include <algorithm>
#include <numeric>

#include "solvers/conjugate_gradients.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

constexpr double diagonal_floor = 1e-6;  // of the mean column sum

Vector divided(Vector values, const Vector& divisor) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = divisor[i] > 0.0 ? values[i] / divisor[i] : 0.0;
  return values;
}

Vector difference(Vector x, const Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= y[i];
  return x;
}

/// S, and the preconditioner.
class SchurComplement {
 public:
  explicit SchurComplement(const CouplingProducts& coupling) : coupling_(coupling), diagonal_(coupling.column_sums()) {
    const double mean =
        std::accumulate(diagonal_.begin(), diagonal_.end(), 0.0) / static_cast<double>(diagonal_.size());
    Vector inverse(coupling.row_sums().size(), 1.0);
    diagonal_ = difference(diagonal_, coupling.transposed_squares(divided(inverse, coupling.row_sums())));
    for (std::size_t j = 0; j < diagonal_.size(); ++j)
      diagonal_[j] = coupling.column_sums()[j] > 0.0 ? std::max(diagonal_[j], diagonal_floor * mean) : 0.0;
  }

  Vector apply(const Vector& beta) const {
    Vector result(beta);
    for (std::size_t j = 0; j < beta.size(); ++j) result[j] *= coupling_.column_sums()[j];
    return difference(result, coupling_.apply_transposed(divided(coupling_.apply(beta), coupling_.row_sums())));
  }
  Vector preconditioned(const Vector& residual) const {
    Vector result = divided(residual, diagonal_);
    const double mean = product(diagonal_, result) / std::accumulate(diagonal_.begin(), diagonal_.end(), 0.0);
    for (std::size_t j = 0; j < result.size(); ++j) result[j] = diagonal_[j] > 0.0 ? result[j] - mean : 0.0;
    return result;
  }

 private:
  const CouplingProducts& coupling_;
  Vector diagonal_;
};

}  // namespace

CouplingAdjoint solve_coupling_adjoint(const CouplingProducts& coupling, std::span<const double> u,
                                       std::span<const double> v, const CouplingAdjointSettings& settings) {
  const SchurComplement schur(coupling);
  const Vector rows(u.begin(), u.end()), columns(v.begin(), v.end());
  CouplingAdjoint adjoint;
  adjoint.beta = settings.initial_beta.size() == columns.size() ? settings.initial_beta : Vector(columns.size(), 0.0);
  const Vector right = difference(columns, coupling.apply_transposed(divided(rows, coupling.row_sums())));
  const ConjugateGradients done =
      conjugate_gradients(schur, right, settings.tolerance, settings.max_iterations, adjoint.beta);
  adjoint.iterations = done.iterations;
  adjoint.relative_residual = done.relative_residual;
  adjoint.alpha = divided(difference(rows, coupling.apply(adjoint.beta)), coupling.row_sums());
  return adjoint;
}

}  // namespace thalweg
