// Preconditioned conjugate gradients on vectors that all ranks hold.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace thalweg {

inline double product(const std::vector<double>& x, const std::vector<double>& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

struct ConjugateGradients {
  std::int64_t iterations = 0;
  double relative_residual = 0.0;  // in the norm of the preconditioner, of the last solution
};

/// Lowers the residual of S x = right from the `solution` given, to `tolerance` or for `max_iterations` steps.
/// @param system   positive semidefinite: apply(x) = S x, preconditioned(residual)
template <class System>
ConjugateGradients conjugate_gradients(const System& system, const std::vector<double>& right, double tolerance,
                                       std::int64_t max_iterations, std::vector<double>& solution) {
  ConjugateGradients done;
  std::vector<double> residual = right;
  const std::vector<double> first = system.apply(solution);
  for (std::size_t j = 0; j < residual.size(); ++j) residual[j] -= first[j];
  std::vector<double> step = system.preconditioned(residual), direction = step;
  double now = product(residual, step);
  const double scale = product(right, system.preconditioned(right));
  for (;; ++done.iterations) {
    done.relative_residual = scale > 0.0 ? std::sqrt(std::max(0.0, now) / scale) : 0.0;
    if (!(done.relative_residual > tolerance) || done.iterations >= max_iterations) return done;
    const std::vector<double> image = system.apply(direction);
    const double length = now / product(direction, image);
    for (std::size_t j = 0; j < direction.size(); ++j) {
      solution[j] += length * direction[j];
      residual[j] -= length * image[j];
    }
    step = system.preconditioned(residual);
    const double next = product(residual, step);
    for (std::size_t j = 0; j < direction.size(); ++j) direction[j] = step[j] + next / now * direction[j];
    now = next;
  }
}

}  // namespace thalweg
