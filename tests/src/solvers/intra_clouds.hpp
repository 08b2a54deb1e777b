// Slices with coordinates of their own, for tests of Gromov-Wasserstein parts of a chain.
#pragma once

#include "clouds.hpp"

namespace thalweg::testing_support {

/// One slice: features that all slices share, of dimension 0 if there are none, and places within it.
struct IntraSlice {
  Cloud features, places;

  std::int64_t num_rows() const { return places.num_rows; }
};

inline Cloud no_features(const Cloud& places) { return {places.num_rows, 0, {}, places.weights}; }

/// These slices, which must outlive the problem; free types.
inline HmOtProblem intra_problem(const Communicator& comm, const std::vector<IntraSlice>& slices, double alpha,
                                 const std::vector<std::int64_t>& num_types) {
  std::int64_t width = 0;
  for (const IntraSlice& slice : slices) width = std::max(width, slice.places.dimension);
  HmOtProblem problem;
  problem.alpha = alpha;
  for (std::size_t t = 0; t < slices.size(); ++t) {
    HmOtSlice& slice = problem.slices.emplace_back();
    slice.name = std::to_string(t);
    slice.rows = slices[t].features.block(comm);
    const RowBlock places = slices[t].places.block(comm);
    slice.rows.weights = places.weights;
    slice.rows.coordinates = {places.features, slices[t].places.dimension, width};
    slice.rows.dimension += width + 1;
    slice.num_types = num_types.size() == 1 ? num_types[0] : num_types[t];
    if (t > 0) problem.transitions.emplace_back();
  }
  return problem;
}

/// A cloud without symmetries: components of different size along a curve in the first two dimensions.
inline Cloud curved_cloud(std::int64_t n, std::int64_t p, std::uint32_t stream) {
  const RandomStream random{91, stream};
  Cloud cloud{n, p, {}};
  for (std::int64_t i = 0; i < n; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    const double u = random.uniform(row, 1000), angle = 4.0 * u * u;
    for (std::int64_t j = 0; j < p; ++j) {
      const double along = j == 0 ? (1.0 + u) * std::cos(angle) : j == 1 ? 1.5 * std::sin(angle) : 0.3 * u;
      cloud.features.push_back(static_cast<float>(5.0 + along + 0.1 * random.normal(row, static_cast<std::uint32_t>(j))));
    }
  }
  return cloud;
}

inline double squared_distance(const Cloud& cloud, std::int64_t i, std::int64_t k) {
  double sum = 0.0;
  for (std::int64_t j = 0; j < cloud.dimension; ++j) sum += (cloud(i, j) - cloud(k, j)) * (cloud(i, j) - cloud(k, j));
  return sum;
}

/// sum_ii'jj' (A_ii' - B_jj')^2 P_ij P_i'j', term by term.
inline double dense_gromov(const Cloud& x, const Cloud& y, const Matrix& coupling) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < x.num_rows; ++i)
    for (std::int64_t k = 0; k < x.num_rows; ++k) {
      const double a = squared_distance(x, i, k);
      for (std::int64_t j = 0; j < y.num_rows; ++j)
        for (std::int64_t l = 0; l < y.num_rows; ++l) {
          const double difference = a - squared_distance(y, j, l);
          sum += difference * difference * coupling(i, j) * coupling(k, l);
        }
    }
  return sum;
}

inline double dense_transport(const Cloud& x, const Cloud& y, const Matrix& coupling) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < x.num_rows; ++i)
    for (std::int64_t j = 0; j < y.num_rows; ++j)
      for (std::int64_t f = 0; f < x.dimension; ++f) sum += coupling(i, j) * (x(i, f) - y(j, f)) * (x(i, f) - y(j, f));
  return sum;
}

/// P = diag(a) Q diag(1/g) T diag(1/g') Q'^T diag(b) of a transition whose slices lie on one process.
/// @param q, q_next   memberships, rows of sum 1
inline Matrix dense_coupling(const std::vector<double>& a, const Matrix& q, const std::vector<double>& g, const Matrix& coupling,
                             const std::vector<double>& g_next, const Matrix& q_next, const std::vector<double>& b) {
  Matrix half(q.rows, coupling.columns), result(q.rows, q_next.rows);
  for (std::int64_t i = 0; i < q.rows; ++i)
    for (std::int64_t k = 0; k < q.columns; ++k)
      for (std::int64_t l = 0; l < half.columns; ++l)
        half(i, l) += a[static_cast<std::size_t>(i)] * q(i, k) / g[static_cast<std::size_t>(k)] * coupling(k, l);
  for (std::int64_t i = 0; i < q.rows; ++i)
    for (std::int64_t j = 0; j < q_next.rows; ++j)
      for (std::int64_t l = 0; l < half.columns; ++l)
        result(i, j) += half(i, l) / g_next[static_cast<std::size_t>(l)] * q_next(j, l) * b[static_cast<std::size_t>(j)];
  return result;
}

}  // namespace thalweg::testing_support
