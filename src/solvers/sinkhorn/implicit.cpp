#include "solvers/sinkhorn/implicit.hpp"

#include <cmath>
#include <numeric>

#include "solvers/conjugate_gradients.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

/// sum_k factors_ik applied_ik of each row.
Vector row_products(std::span<const double> factors, const Vector& applied, std::int64_t rank) {
  const auto width = static_cast<std::size_t>(rank);
  Vector sums(applied.size() / width, 0.0);
  for (std::size_t k = 0; k < applied.size(); ++k) sums[k / width] += factors[k] * applied[k];
  return sums;
}

/// s (1 + epsilon / lambda); 0 where a point takes no part.
Vector diagonal(const Vector& sums, double epsilon, double lambda) {
  Vector result(sums);
  for (double& value : result) value *= std::isinf(lambda) ? 1.0 : 1.0 + epsilon / lambda;
  return result;
}

Vector divided(Vector values, const Vector& divisor) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = divisor[i] > 0.0 ? values[i] / divisor[i] : 0.0;
  return values;
}

void subtract(const Vector& second, Vector& first) {
  for (std::size_t i = 0; i < first.size(); ++i) first[i] -= second[i];
}

/// S q = D2 q - P^T D1^-1 P q, and what belongs to it.
class SchurComplement {
 public:
  SchurComplement(const PairGeometry& geometry, const SinkhornProblem& problem, const SinkhornSolution& solution)
      : geometry_(geometry), solution_(solution), is_balanced_(std::isinf(problem.lambda1) && std::isinf(problem.lambda2)),
        rows_(diagonal(solution.row_sums, solution.epsilon, problem.lambda1)),
        columns_(diagonal(solution.column_sums, solution.epsilon, problem.lambda2)) {}

  Vector forward(const Vector& q) const { return geometry_.apply(solution_.f, solution_.g, q, 1); }
  Vector back(const Vector& p) const { return geometry_.apply_transposed(solution_.f, solution_.g, p, 1); }

  Vector apply(const Vector& q) const {
    Vector result(q.size());
    for (std::size_t j = 0; j < q.size(); ++j) result[j] = columns_[j] * q[j];
    subtract(back(divided(forward(q), rows_)), result);
    return result;
  }
  Vector right_side(const Vector& u, Vector v) const {
    subtract(back(divided(u, rows_)), v);
    return v;
  }
  Vector rows_for(Vector u, const Vector& q) const {
    subtract(forward(q), u);
    return divided(std::move(u), rows_);
  }
  /// D2^-1 z without the constant that a balanced S maps to 0.
  Vector preconditioned(const Vector& z) const {
    Vector result = divided(z, columns_);
    if (!is_balanced_) return result;
    const double mean = product(columns_, result) / std::accumulate(columns_.begin(), columns_.end(), 0.0);
    for (double& value : result) value -= mean;
    return result;
  }

 private:
  const PairGeometry& geometry_;
  const SinkhornSolution& solution_;
  bool is_balanced_;
  Vector rows_, columns_;
};

}  // namespace

AdjointPotentials solve_adjoint(const PairGeometry& geometry, const SinkhornProblem& problem, const SinkhornSolution& solution,
                                const CouplingLoss& loss, const AdjointSettings& settings) {
  const SchurComplement schur(geometry, problem, solution);
  const Vector u = row_products(loss.row_factors, geometry.apply(solution.f, solution.g, loss.column_factors, loss.rank), loss.rank);
  const Vector v = row_products(loss.column_factors, geometry.apply_transposed(solution.f, solution.g, loss.row_factors, loss.rank), loss.rank);
  AdjointPotentials adjoint;
  adjoint.q = settings.initial_q.empty() ? Vector(solution.g.size(), 0.0) : settings.initial_q;
  const ConjugateGradients done =
      conjugate_gradients(schur, schur.right_side(u, v), settings.tolerance, settings.max_iterations, adjoint.q);
  adjoint.iterations = done.iterations;
  adjoint.relative_residual = done.relative_residual;
  adjoint.p = schur.rows_for(u, adjoint.q);
  return adjoint;
}

std::vector<double> cost_gradient_rows(const PairGeometry& geometry, const SinkhornSolution& solution, const CouplingLoss& loss,
                                       const AdjointPotentials& adjoint, RowRange global_rows) {
  const auto first = static_cast<std::size_t>(global_rows.begin - geometry.rows().begin), m = solution.g.size();
  const auto rank = static_cast<std::size_t>(loss.rank), count = static_cast<std::size_t>(global_rows.size());
  Vector result = geometry.coupling_rows(global_rows, std::span(solution.f).subspan(first, count), solution.g);
  for (std::size_t k = 0; k < result.size(); ++k) {
    const std::size_t row = first + k / m, column = k % m;
    double entry = -adjoint.p[row] - adjoint.q[column];
    for (std::size_t l = 0; l < rank; ++l) entry += loss.row_factors[row * rank + l] * loss.column_factors[column * rank + l];
    result[k] *= -entry / solution.epsilon;
  }
  return result;
}

std::vector<double> source_point_gradient(const PairGeometry& geometry, const SinkhornSolution& solution, const CouplingLoss& loss,
                                          const AdjointPotentials& adjoint, const GradientPoints& points) {
  const auto rank = static_cast<std::size_t>(loss.rank), d = static_cast<std::size_t>(points.dimension);
  const std::size_t m = solution.g.size(), parts = rank + 2;  // factors of W = dL/dC over P: V, 1 for p, q
  const auto factor = [&](std::size_t j, std::size_t l) {
    return l < rank ? loss.column_factors[j * rank + l] : l == rank ? 1.0 : adjoint.q[j];
  };
  Vector values;
  values.reserve(m * parts * (d + 1));
  for (std::size_t j = 0; j < m; ++j)
    for (std::size_t l = 0; l < parts; ++l) {
      values.push_back(factor(j, l));
      for (std::size_t k = 0; k < d; ++k) values.push_back(factor(j, l) * points.target[j * d + k]);
    }
  const Vector applied = geometry.apply(solution.f, solution.g, values, static_cast<std::int64_t>(parts * (d + 1)));
  Vector gradient(solution.f.size() * d, 0.0);
  for (std::size_t i = 0; i < solution.f.size(); ++i)
    for (std::size_t l = 0; l < parts; ++l) {
      const double coefficient = l < rank ? loss.row_factors[i * rank + l] : l == rank ? -adjoint.p[i] : -1.0;
      const double* sums = applied.data() + (i * parts + l) * (d + 1);  // (P v)_i and (P v Y)_i
      for (std::size_t k = 0; k < d; ++k)
        gradient[i * d + k] -= 2.0 / (geometry.scale() * solution.epsilon) * coefficient * (points.source[i * d + k] * sums[0] - sums[1 + k]);
    }
  return gradient;
}

}  // namespace thalweg
