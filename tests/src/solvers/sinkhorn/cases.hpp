// Problems of the Sinkhorn tests over the dense reference geometry.
#pragma once

#include <cmath>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "distributed/communicator.hpp"
#include "reference/dense_geometry.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"
#include "test_paths.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg::testing_support {

using Vector = std::vector<double>;
inline constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
std::vector<T> read_golden(const std::string& name, std::size_t count) {
  std::ifstream file(test_data() + "/" + name, std::ios::binary);
  std::vector<T> values(count);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
  if (!file) throw std::runtime_error("golden file " + name + " is short or absent");
  return values;
}

inline Vector normalised(Vector weights) {
  double sum = 0.0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Points and weights of two sides, and the divisor of the squared distances.
struct Clouds {
  Vector x, y, a, b;
  std::int64_t dimension = 1;
  double scale = 1.0;

  Vector costs() const { return reference::squared_distances(x, y, dimension); }
  Clouds source_with_itself() const { return {x, x, a, a, dimension, scale}; }
  Clouds target_with_itself() const { return {y, y, b, b, dimension, scale}; }
};

/// The small problem with published values: 40 and 30 points in three dimensions.
inline Clouds small_clouds() {
  Clouds clouds;
  clouds.dimension = 3;
  clouds.scale = 3.5165198155582624;  // product mean
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < 3; ++k) clouds.x.push_back(std::sin(1 + 0.37 * i * (k + 1)));
    clouds.a.push_back(1.0 + i % 3);
  }
  for (int j = 0; j < 30; ++j) {
    for (int k = 0; k < 3; ++k) clouds.y.push_back(0.5 + std::cos(2 + 0.53 * j * (k + 1)));
    clouds.b.push_back(1.0 + j % 5);
  }
  clouds.a = normalised(clouds.a);
  clouds.b = normalised(clouds.b);
  return clouds;
}

/// Dirichlet weights, Gaussian clouds, a few points ten times as far out.
inline Clouds random_clouds(std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  std::gamma_distribution<double> gamma(1.0);
  std::uniform_int_distribution<int> size(30, 120), dimensions(1, 8);
  Clouds clouds;
  clouds.dimension = dimensions(generator);
  const auto fill = [&](int count, double shift, Vector& points, Vector& weights) {
    for (int i = 0; i < count; ++i) {
      const double reach = i % 20 == 19 ? 10.0 : 1.0;
      for (std::int64_t k = 0; k < clouds.dimension; ++k) points.push_back(reach * normal(generator) + shift);
      weights.push_back(gamma(generator));
    }
    weights = normalised(weights);
  };
  fill(size(generator), 0.0, clouds.x, clouds.a);
  fill(size(generator), 1.0, clouds.y, clouds.b);
  return clouds;
}

/// One process and a dense geometry; problems refer to the geometry it keeps.
struct Dense {
  std::unique_ptr<Communicator> comm = make_self_communicator();
  std::unique_ptr<PairGeometry> geometry;
  SinkhornProblem problem;
  SinkhornSettings settings;
  Precision precision = Precision::float64;

  Dense(Vector costs, Vector a, Vector b, Precision geometry_precision = Precision::float64) : precision(geometry_precision) {
    geometry = reference::make_dense_geometry(*comm, std::move(costs), static_cast<std::int64_t>(b.size()), precision);
    problem.geometry = geometry.get();
    problem.a = std::move(a);
    problem.b = std::move(b);
  }
  explicit Dense(const Clouds& clouds, Precision geometry_precision = Precision::float64)
      : Dense(clouds.costs(), clouds.a, clouds.b, geometry_precision) {
    geometry->set_scale(clouds.scale);
  }

  Context context() const { return {*comm, precision, test_device(), 0}; }
  SinkhornSolution solve() const { return solve_sinkhorn(context(), problem, settings); }

  /// The coupling in full, n x m.
  Vector coupling(const SinkhornSolution& solution) const {
    const auto exact = geometry->in_float64();
    exact->set_reference(solution.log_alpha, solution.log_beta);
    exact->set_epsilon(solution.epsilon);
    return exact->coupling_rows(exact->rows(), solution.f, solution.g);
  }
};

inline std::int64_t evaluations_until(const SinkhornSolution& solution, double error) {
  for (const SinkhornRecord& record : solution.history)
    if (record.error <= error && record.epsilon == solution.epsilon) return record.evaluation;
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace thalweg::testing_support
