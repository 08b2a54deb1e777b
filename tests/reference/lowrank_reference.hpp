// The low-rank pass as plain loops in double: what every kernel is held against.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "kernels/matrix.hpp"

namespace thalweg::reference {

struct PassSums {
  std::vector<double> masses;
  double normalizer = 0.0, entropy = 0.0;
  Matrix features, hessian, memberships;
};

/// @param rows      n x p, row-major        @param weights   a, sum 1
inline PassSums lowrank_pass(std::span<const double> rows, std::int64_t p, std::span<const double> weights,
                             const Matrix& logits, std::span<const double> duals) {
  const std::int64_t n = static_cast<std::int64_t>(weights.size()), r = logits.columns;
  PassSums sums{std::vector<double>(static_cast<std::size_t>(r)), 0, 0, Matrix(p, r), Matrix(r, r), Matrix(n, r)};
  for (std::int64_t i = 0; i < n; ++i) {
    const double a = weights[static_cast<std::size_t>(i)];
    std::vector<double> logit(duals.begin(), duals.end());
    for (std::int64_t k = 0; k < r; ++k)
      for (std::int64_t j = 0; j < p; ++j) logit[static_cast<std::size_t>(k)] += rows[static_cast<std::size_t>(i * p + j)] * logits(j, k);
    const double top = *std::max_element(logit.begin(), logit.end());
    double total = 0;
    for (const double value : logit) total += std::exp(value - top);
    const double l = top + std::log(total);
    sums.normalizer += a * l;
    for (std::int64_t k = 0; k < r; ++k) {
      const double q = std::exp(logit[static_cast<std::size_t>(k)] - l);
      sums.memberships(i, k) = q;
      sums.masses[static_cast<std::size_t>(k)] += a * q;
      if (q > 0) sums.entropy += a * q * (logit[static_cast<std::size_t>(k)] - l);
      for (std::int64_t j = 0; j < p; ++j) sums.features(j, k) += a * q * rows[static_cast<std::size_t>(i * p + j)];
    }
    for (std::int64_t k = 0; k < r; ++k)
      for (std::int64_t l2 = 0; l2 < r; ++l2) sums.hessian(k, l2) += a * sums.memberships(i, k) * sums.memberships(i, l2);
  }
  return sums;
}

}  // namespace thalweg::reference
