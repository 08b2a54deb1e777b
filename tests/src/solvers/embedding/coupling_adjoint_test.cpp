// The adjoint of a coupling against elimination, perturbed couplings and its own symmetry.
#include "solvers/embedding/adjoint.hpp"

#include <gtest/gtest.h>

#include "embedding_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// P by plain loops, with costs that may be moved.
struct PlainCoupling final : CouplingProducts {
  PlainEmbedding plain;
  std::size_t n, m;
  Vector p, q;

  PlainCoupling(const EmbeddingCase& of, double epsilon)
      : plain(of, EmbeddingCost::cosine, epsilon),
        n(static_cast<std::size_t>(of.n)),
        m(static_cast<std::size_t>(of.m)) {
    set_sums();
  }
  void move_costs(const Vector& direction, double step) {
    for (std::size_t k = 0; k < direction.size(); ++k) plain.costs[k] += step * direction[k];
    plain.solve();
    set_sums();
  }
  void set_sums() {
    p = apply(Vector(m, 1.0));
    q = apply_transposed(Vector(n, 1.0));
  }
  Vector apply(const Vector& v) const override {
    Vector result(n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j) result[i] += plain.coupling[i * m + j] * v[j];
    return result;
  }
  Vector apply_transposed(const Vector& w) const override {
    Vector result(m, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j) result[j] += plain.coupling[i * m + j] * w[i];
    return result;
  }
  Vector transposed_squares(const Vector& w) const override {
    Vector result(m, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j) result[j] += w[i] * std::pow(plain.coupling[i * m + j], 2);
    return result;
  }
  const Vector& row_sums() const override { return p; }
  const Vector& column_sums() const override { return q; }

  /// H 1 and H^T 1 of G.
  std::pair<Vector, Vector> moments(const Vector& g) const {
    Vector u(n, 0.0), v(m, 0.0);
    for (std::size_t k = 0; k < g.size(); ++k) {
      u[k / m] += plain.coupling[k] * g[k];
      v[k % m] += plain.coupling[k] * g[k];
    }
    return {u, v};
  }
  Vector cost_gradient(const Vector& g, const Vector& alpha, const Vector& beta) const {
    Vector result(g.size());
    for (std::size_t k = 0; k < g.size(); ++k)
      result[k] = -plain.coupling[k] * (g[k] - alpha[k / m] - beta[k % m]) / plain.epsilon;
    return result;
  }
  Vector vector_jacobian(const Vector& g, double tolerance) const {
    const auto [u, v] = moments(g);
    CouplingAdjointSettings settings;
    settings.tolerance = tolerance;
    settings.max_iterations = 1000;
    const CouplingAdjoint adjoint = solve_coupling_adjoint(*this, u, v, settings);
    EXPECT_LE(adjoint.relative_residual, tolerance);
    return cost_gradient(g, adjoint.alpha, adjoint.beta);
  }
};

double inner(const Vector& x, const Vector& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); }

double relative_distance(const Vector& x, const Vector& y) {
  Vector difference(x);
  for (std::size_t k = 0; k < x.size(); ++k) difference[k] -= y[k];
  return std::sqrt(inner(difference, difference) / inner(y, y));
}

/// Elimination with pivots on the diagonal of a positive definite system.
Vector solved(std::vector<Vector> a, Vector right) {
  for (std::size_t k = 0; k < right.size(); ++k)
    for (std::size_t i = k + 1; i < right.size(); ++i) {
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < right.size(); ++j) a[i][j] -= factor * a[k][j];
      right[i] -= factor * right[k];
    }
  for (std::size_t k = right.size(); k-- > 0;) {
    for (std::size_t j = k + 1; j < right.size(); ++j) right[k] -= a[k][j] * right[j];
    right[k] /= a[k][k];
  }
  return right;
}

struct CouplingAdjoints : testing::TestWithParam<double> {
  EmbeddingCase of{40, 33};
  PlainCoupling coupling{of, GetParam()};
  Vector g = normals(40 * 33, 21), other = normals(40 * 33, 22);

  /// beta of the whole Schur complement, made definite by 1 1^T, and alpha.
  Vector by_elimination() const {
    const auto [u, v] = coupling.moments(g);
    Vector scaled(u);
    for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] /= coupling.p[i];
    Vector right = coupling.apply_transposed(scaled);
    std::vector<Vector> schur(coupling.m, Vector(coupling.m));
    for (std::size_t j = 0; j < coupling.m; ++j) {
      right[j] = v[j] - right[j];
      for (std::size_t l = 0; l < coupling.m; ++l) {
        double sum = j == l ? coupling.q[j] : 0.0;
        for (std::size_t i = 0; i < coupling.n; ++i)
          sum -=
              coupling.plain.coupling[i * coupling.m + j] * coupling.plain.coupling[i * coupling.m + l] / coupling.p[i];
        schur[j][l] = sum + coupling.q[j] * coupling.q[l];
      }
    }
    const Vector beta = solved(schur, right), applied = coupling.apply(beta);
    Vector alpha(u);
    for (std::size_t i = 0; i < alpha.size(); ++i) alpha[i] = (u[i] - applied[i]) / coupling.p[i];
    return coupling.cost_gradient(g, alpha, beta);
  }
};

TEST_P(CouplingAdjoints, EqualEliminationAtTheTrainingTolerance) {
  EXPECT_LE(relative_distance(coupling.vector_jacobian(g, 1e-4), by_elimination()), 1e-4);
  EXPECT_LE(relative_distance(coupling.vector_jacobian(g, 1e-12), by_elimination()), 1e-9);
}

TEST_P(CouplingAdjoints, AreSymmetric) {
  const double left = inner(other, coupling.vector_jacobian(g, 1e-12));
  EXPECT_NEAR(left, inner(g, coupling.vector_jacobian(other, 1e-12)), 1e-8 * std::abs(left));
}

/// dP/dC is symmetric, so that the gradient of <G, P> is the derivative of P along G.
TEST_P(CouplingAdjoints, EqualTheDerivativeOfPerturbedCouplings) {
  const double step = 1e-3 * GetParam();
  PlainCoupling upper = coupling, lower = coupling;
  upper.move_costs(g, step);
  lower.move_costs(g, -step);
  Vector derivative(g.size());
  for (std::size_t k = 0; k < derivative.size(); ++k)
    derivative[k] = (upper.plain.coupling[k] - lower.plain.coupling[k]) / (2.0 * step);
  EXPECT_LE(relative_distance(coupling.vector_jacobian(g, 1e-10), derivative), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Epsilons, CouplingAdjoints, testing::Values(0.05, 0.02),
                         [](const auto& with) { return "case" + std::to_string(with.index); });

}  // namespace
}  // namespace thalweg
