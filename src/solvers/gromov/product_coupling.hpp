// The coupling that iterations begin at.
#pragma once

#include <cmath>
#include <numeric>
#include <span>

namespace thalweg {

/// a b^T / (|a| |b|)^(1/2), whose marginals are a and b where both have mass 1: factors of a b^T, a and b.
struct ProductCoupling {
  double mass = 1.0;  // its own
  double factor = 1.0, of_a = 1.0, of_b = 1.0;
  double mass_a = 1.0, mass_b = 1.0;

  ProductCoupling(std::span<const double> a, std::span<const double> b)
      : mass_a(std::accumulate(a.begin(), a.end(), 0.0)), mass_b(std::accumulate(b.begin(), b.end(), 0.0)) {
    mass = std::sqrt(mass_a * mass_b);
    factor = 1.0 / mass;
    of_a = mass_b / mass;
    of_b = mass_a / mass;
  }
};

}  // namespace thalweg
