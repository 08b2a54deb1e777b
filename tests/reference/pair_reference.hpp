// Plain loops over all pairs: the oracle of pair geometry.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "geometry/pair_geometry.hpp"

namespace thalweg::reference {

using Points = std::vector<std::vector<double>>;

inline std::vector<double> prepared(std::vector<double> x, Cost cost) {
  if (cost == Cost::correlation) {
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
    for (double& value : x) value -= mean;
  }
  if (cost == Cost::cosine || cost == Cost::correlation) {
    const double norm = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
    for (double& value : x) value /= norm;
  }
  return x;
}

inline double cost_between(const std::vector<double>& left, const std::vector<double>& right, Cost cost) {
  const std::vector<double> x = prepared(left, cost), y = prepared(right, cost);
  double squares = 0.0, absolute = 0.0, product = 0.0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    squares += (x[k] - y[k]) * (x[k] - y[k]);
    absolute += std::abs(x[k] - y[k]);
    product += x[k] * y[k];
  }
  switch (cost) {
    case Cost::euclidean:
      return std::sqrt(squares);
    case Cost::manhattan:
      return absolute;
    case Cost::factored:
      return product;
    case Cost::cosine:
    case Cost::correlation:
      return 1.0 - product;
    default:
      return squares;
  }
}

/// A dense problem: scaled costs, reference weights, epsilon.
struct Pairs {
  std::vector<std::vector<double>> costs;  // scaled
  std::vector<double> alpha, beta;
  double epsilon = 1.0;

  double coupling(std::size_t i, std::size_t j, const std::vector<double>& f, const std::vector<double>& g) const {
    if (alpha[i] == 0.0 || beta[j] == 0.0) return 0.0;
    return alpha[i] * beta[j] * std::exp((f[i] + g[j] - costs[i][j]) / epsilon);
  }
  /// log sum_j beta_j exp((g_j - C_ij) / epsilon)
  double log_sum(std::size_t i, const std::vector<double>& g) const {
    double top = -INFINITY, sum = 0.0;
    for (std::size_t j = 0; j < g.size(); ++j)
      if (beta[j] > 0.0) top = std::max(top, (g[j] - costs[i][j]) / epsilon);
    for (std::size_t j = 0; j < g.size(); ++j)
      if (beta[j] > 0.0) sum += beta[j] * std::exp((g[j] - costs[i][j]) / epsilon - top);
    return top + std::log(sum);
  }
};

}  // namespace thalweg::reference
